"""Settings of the text model that rewrites prompts."""

from dataclasses import replace
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode

from ml_service.errors import InvalidRequest
from web.domain.models.usage import PROVIDERS, Choice, Price, choose


class TextModelSettings(BaseSettings):
    """Which text model there is, what it is shown, and what it may cost."""

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

    def text_model_faults(self) -> list[str]:
        """Return what does not fit together, in words."""
        try:
            _ = self.text_model_choice
        except InvalidRequest as error:
            return [str(error)]
        return []
