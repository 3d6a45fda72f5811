"""Settings of the web half: environment variables, or lines of a `.env` file, by the names of the product."""

from typing import Self

from pydantic import ValidationError, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import SettingsConfigDict

from ml_service.errors import InvalidRequest
from web.settings.address import AddressSettings
from web.settings.house import HouseSettings
from web.settings.ml_service import MlServiceSettings
from web.settings.text_model import TextModelSettings


class Settings(TextModelSettings, MlServiceSettings, AddressSettings, HouseSettings):
    """What can be set, by group; an empty value counts as not set."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True, hide_input_in_errors=True)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if faults := [*self.ml_service_faults(), *self.text_model_faults()]:
            raise ValueError("\n".join(faults))
        if not self.database_url:
            object.__setattr__(self, "database_url", f"sqlite:///{self.data_dir / 'palate.db'}")
        return self


def load_settings(env_file: str | None = ".env") -> Settings:
    """Read the settings, or raise one InvalidRequest that names every variable at fault and what to do."""
    try:
        return Settings(_env_file=env_file)
    except ValidationError as error:
        faults = [line for item in error.errors() for line in _fault(item).splitlines()]
        raise InvalidRequest("Palate cannot start with these settings:\n- " + "\n- ".join(faults)) from error


def _fault(item: ErrorDetails) -> str:
    message = item["msg"].removeprefix("Value error, ").removesuffix(".")
    name = ".".join(str(part) for part in item["loc"]).upper()
    return f"{name}: {message}." if name else f"{message}."
