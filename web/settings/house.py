"""Settings of the house: where things lie, who comes in first, and what is loaded."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode

from ml_service.errors import InvalidRequest
from web.domain.accounts import email_address

KEY_BYTES = 32


class HouseSettings(BaseSettings):
    """The database, the folders, the door, and the plugins."""

    database_url: str = Field(
        "",
        repr=False,
        description="Where the database is: `sqlite:///path` or `postgresql://user:password@host/name`; "
        "without it, `palate.db` in DATA_DIR.",
    )
    data_dir: Path = Field(Path("data"), description="The folder of the database, the images and the secret key.")
    prompts_dir: Path = Field(Path("prompts"), description="The folder where prompt versions are published.")
    port: int = Field(8000, ge=0, le=65535, description="The port that the web server listens on; 0 takes a free one.")
    secret_key: SecretStr | None = Field(
        None,
        min_length=KEY_BYTES,
        description="What form tokens are signed with, 32 characters or more; without it, a key is made on the first "
        "start and kept in DATA_DIR.",
    )
    enable_training_mode: bool = Field(
        True, description="Whether rating is open; where false, /train and what belongs to it answer 404."
    )
    training_admin_emails: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="The first admins' addresses, separated by commas; they are made on the first start."
    )
    retention_days: int = Field(
        90,
        ge=0,
        le=36500,
        description="For how many days images are kept that were set aside unrated; 0 keeps them for ever. What was "
        "rated, or is to be rated, is always kept.",
    )
    plugins: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Modules to load as plugins, separated by commas; each runs with all of Palate's rights, and one "
        "that cannot be loaded stops the start.",
    )

    @field_validator("training_admin_emails", mode="before")
    @classmethod
    def _split(cls, value: str | tuple[str, ...]) -> tuple[str, ...]:
        parts = value.split(",") if isinstance(value, str) else value
        try:
            return tuple(dict.fromkeys(email_address(part) for part in parts if part.strip()))
        except InvalidRequest as error:
            raise ValueError(str(error)) from error

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        if value and not value.startswith(("sqlite:///", "postgresql://", "postgresql+psycopg://")):
            raise ValueError("It must start with sqlite:/// or postgresql://; leave it out to use DATA_DIR.")
        return value

    @field_validator("plugins", mode="before")
    @classmethod
    def _module_names(cls, value: str | tuple[str, ...]) -> tuple[str, ...]:
        parts = value.split(",") if isinstance(value, str) else value
        names = tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))
        if not all(word.isidentifier() for name in names for word in name.split(".")):
            raise ValueError("It must be names of modules, separated by commas, like my_rules.brands.")
        return names
