"""Settings of the ML service, read from the environment."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What the ML service needs to know to start; an absent token is refused like a short one."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", hide_input_in_errors=True)

    ml_service_token: SecretStr = Field(
        default=SecretStr(""), validate_default=True, min_length=16, description="Bearer token of /ml/*."
    )
    port: int = Field(default=8001, ge=1, le=65535, description="Port that `python -m ml_service` listens on.")
