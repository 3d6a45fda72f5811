"""Settings of the ML service, as its client."""

from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings


class MlServiceSettings(BaseSettings):
    """Where the ML service is, and what it asks for."""

    ml_service_url: str | None = Field(
        None, description="Where the ML service answers; without it, the optimizer runs inside the worker."
    )
    ml_service_token: SecretStr | None = Field(
        None, description="The bearer token that the ML service asks for; both halves need the same one."
    )

    @field_validator("ml_service_url")
    @classmethod
    def _web_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("It must be an address like https://ml.example.org.")
        return value.rstrip("/")

    def ml_service_faults(self) -> list[str]:
        """Return what does not fit together, in words."""
        if self.ml_service_url and self.ml_service_token is None:
            return [
                "ML_SERVICE_TOKEN: it is missing, and the ML service at ML_SERVICE_URL asks for it; "
                "set the token that the service was started with."
            ]
        return []
