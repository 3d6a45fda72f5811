"""Settings of the web half: environment variables, or lines of a `.env` file, by the names of the product."""

import os
import secrets
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from ml_service.errors import InvalidRequest
from web.domain.accounts import email_address
from web.domain.models.usage import PROVIDERS, Choice, Price, choose

KEY_BYTES = 32
KEY_FILE = "secret_key"


class Settings(BaseSettings):
    """What can be set; an empty value counts as not set."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True, hide_input_in_errors=True)

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
    ml_service_url: str | None = Field(
        None, description="Where the ML service answers; without it, the optimizer runs inside the worker."
    )
    reward_service_url: str | None = Field(
        None, description="Where the ML service with the reward model answers, if it is another one."
    )
    ml_service_token: SecretStr | None = Field(
        None, description="The bearer token that the ML service asks for; both halves need the same one."
    )
    openai_api_key: SecretStr | None = Field(
        None,
        description="The key for OpenAI's text and image models, or for the provider that TEXT_MODEL_BASE_URL names.",
    )
    text_model: str | None = Field(
        None,
        max_length=200,
        description="The text model that rewrites prompts; without it, the provider's usual one. Where there is "
        "neither a key nor a model of one's own, a scripted rewriter works from the raters' tags.",
    )
    text_model_base_url: str | None = Field(
        None,
        description="Where the text model is: `openai`, `gemini`, `mistral`, `ollama` or `vllm`, or an address that "
        "speaks OpenAI's protocol with `json_schema` answers; without it, `openai`.",
    )
    text_model_price: Annotated[tuple[float, float] | None, NoDecode] = Field(
        None,
        description="What the text model costs, in dollars per million tokens in and out, for example `0.40,1.60`; it "
        "is needed where Palate knows no price, and wins over what it knows.",
    )
    text_model_sees: bool = Field(
        False,
        description="Whether the text model is shown some pictures that raters judged, as small copies that leave "
        "this machine for the provider; a model that cannot see refuses.",
    )
    text_model_budget: float = Field(
        10.0,
        ge=0,
        le=1_000_000,
        allow_inf_nan=False,
        description="The most that text models may cost in a calendar month (UTC), in dollars; a call that could "
        "exceed it is not made.",
    )
    leonardo_api_key: SecretStr | None = Field(None, description="The key for Leonardo's image generators.")
    replicate_api_token: SecretStr | None = Field(None, description="The token for Replicate's image generators.")
    aws_access_key_id: SecretStr | None = Field(None, description="The id of the AWS key that may use S3_BUCKET.")
    aws_secret_access_key: SecretStr | None = Field(None, description="The secret half of the AWS key.")
    aws_region: str | None = Field(None, description="The AWS region of S3_BUCKET, for example eu-central-1.")
    s3_bucket: str | None = Field(
        None, description="The bucket for images and published prompts; without it, they lie in DATA_DIR."
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

    @field_validator("openai_api_key")
    @classmethod
    def _fit_for_a_header(cls, value: SecretStr | None) -> SecretStr | None:
        key = value.get_secret_value() if value else ""
        if not (key.isascii() and key.isprintable()) or " " in key:
            raise ValueError("It has spaces or characters that no key has; copy it again.")
        return value

    @field_validator("text_model_price", mode="before")
    @classmethod
    def _two_prices(cls, value: str | tuple[float, float] | None) -> tuple[float, ...] | None:
        if not isinstance(value, str):
            return value
        try:
            prices = tuple(float(part) for part in value.split(","))
        except ValueError:
            prices = ()
        if len(prices) != 2 or not all(0 <= price <= 10_000 for price in prices):
            raise ValueError("It must be two prices in dollars per million tokens, in and out, like 0.40,1.60.")
        return prices

    @field_validator("text_model_base_url")
    @classmethod
    def _provider(cls, value: str | None) -> str | None:
        if value is None or value in PROVIDERS:
            return value
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password:
            raise ValueError(
                f"It must be one of {', '.join(PROVIDERS)}, or an address like https://llm.example.org/v1."
            )
        return value.rstrip("/")

    @field_validator("ml_service_url", "reward_service_url")
    @classmethod
    def _web_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("It must be an address like https://ml.example.org.")
        return value.rstrip("/")

    @property
    def text_model_choice(self) -> Choice | None:
        """The text model that is set, or None where none is."""
        price = Price(*self.text_model_price) if self.text_model_price else None
        has_key = self.openai_api_key is not None
        chosen = choose(self.text_model_base_url, self.text_model, price, has_key=has_key)
        return replace(chosen, sees=self.text_model_sees) if chosen else None

    @property
    def text_model_budget_micros(self) -> int:
        """The budget of a month in micro-dollars."""
        return round(self.text_model_budget * 1e6)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if faults := [*(message for wrong, message in _combinations(self) if wrong), *_of_text_model(self)]:
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


def signing_key(settings: Settings) -> bytes:
    """Return SECRET_KEY, or the key kept in DATA_DIR, made on the first call and readable by its owner only."""
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value().encode()
    path = settings.data_dir / KEY_FILE
    if not path.exists():
        _make_key(path)
    return path.read_bytes()


def _make_key(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{KEY_FILE}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_hex(KEY_BYTES))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)  # unlike a rename, this leaves a key that another process just made
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _combinations(given: Settings) -> list[tuple[bool, str]]:
    keys = given.aws_access_key_id is not None, given.aws_secret_access_key is not None
    far = given.ml_service_url or given.reward_service_url
    return [
        (
            bool(far) and given.ml_service_token is None,
            "ML_SERVICE_TOKEN: it is missing, and the ML service at ML_SERVICE_URL or REWARD_SERVICE_URL asks for it; "
            "set the token that the service was started with.",
        ),
        (
            any(keys) and not all(keys),
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: only one of them is set; set both or neither.",
        ),
        (
            given.s3_bucket is not None and not any(keys),
            "S3_BUCKET: it needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; set them, or leave S3_BUCKET out to keep "
            "images in DATA_DIR.",
        ),
        (given.s3_bucket is not None and given.aws_region is None, "AWS_REGION: S3_BUCKET needs it; set both."),
    ]


def _of_text_model(given: Settings) -> list[str]:
    try:
        _ = given.text_model_choice
    except InvalidRequest as error:
        return [str(error)]
    return []


def _fault(item: ErrorDetails) -> str:
    message = item["msg"].removeprefix("Value error, ").removesuffix(".")
    name = ".".join(str(part) for part in item["loc"]).upper()
    return f"{name}: {message}." if name else f"{message}."
