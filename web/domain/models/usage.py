"""Text models that can be chosen: where providers are, how they want to be asked, and what they charge."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil

from ml_service.errors import InvalidRequest

_OF_A_DAY = re.compile(r"-\d{4}-\d{2}-\d{2}$")  # gpt-4.1-mini-2025-04-14 costs what gpt-4.1-mini does


@dataclass(frozen=True)
class Price:
    """Dollars per million tokens that go in and that come out, which is micro-dollars per token."""

    tokens_in: float
    tokens_out: float

    def of(self, tokens_in: int, tokens_out: int) -> int:
        """Return what so many tokens cost in micro-dollars, rounded up."""
        return ceil(round(tokens_in * self.tokens_in + tokens_out * self.tokens_out, 6))


FREE = Price(0, 0)


@dataclass(frozen=True)
class Provider:
    """A place that speaks OpenAI's chat completions with structured outputs (`response_format` of `json_schema`).

    `limit` and `seed` name the fields of a request that differ; `seed` is None where there is none. A provider that
    runs on one's own machine costs nothing and is sent no key.
    """

    name: str
    base_url: str
    prices: Mapping[str, Price] = field(default_factory=dict)
    default_model: str | None = None
    own: bool = False
    limit: str = "max_tokens"
    seed: str | None = "seed"


# Prices as listed in June 2026; where sources differ or an alias has moved, the higher one. TEXT_MODEL_PRICE wins.
OPENAI = Provider(
    "openai",
    "https://api.openai.com/v1",
    {
        "gpt-5.5": Price(5.00, 30.00),
        "gpt-5.4": Price(2.50, 15.00),
        "gpt-5.4-mini": Price(0.75, 4.50),
        "gpt-5.4-nano": Price(0.20, 1.25),
        "gpt-5": Price(1.25, 10.00),
        "gpt-5-mini": Price(0.25, 2.00),
        "gpt-5-nano": Price(0.05, 0.40),
        "gpt-4.1": Price(2.00, 8.00),
        "gpt-4.1-mini": Price(0.40, 1.60),
        "gpt-4.1-nano": Price(0.10, 0.40),
        "gpt-4o": Price(2.50, 10.00),
        "gpt-4o-mini": Price(0.15, 0.60),
    },
    "gpt-5.4-mini",
    limit="max_completion_tokens",  # models that reason refuse max_tokens
)
GEMINI = Provider(
    "gemini",
    "https://generativelanguage.googleapis.com/v1beta/openai",
    {
        "gemini-2.5-pro": Price(2.50, 15.00),
        "gemini-2.5-flash": Price(0.30, 2.50),
        "gemini-2.5-flash-lite": Price(0.10, 0.40),
    },
    "gemini-2.5-flash",
    seed=None,  # refused as an unknown field
)
MISTRAL = Provider(
    "mistral",
    "https://api.mistral.ai/v1",
    {
        "mistral-large-latest": Price(2.00, 6.00),
        "mistral-medium-latest": Price(0.40, 2.00),
        "mistral-small-latest": Price(0.20, 0.60),
    },
    "mistral-small-latest",
    seed="random_seed",
)
OLLAMA = Provider("ollama", "http://localhost:11434/v1", own=True)
VLLM = Provider("vllm", "http://localhost:8000/v1", own=True)
PROVIDERS = {one.name: one for one in (OPENAI, GEMINI, MISTRAL, OLLAMA, VLLM)}


@dataclass(frozen=True)
class Choice:
    """A text model that is ready to be asked: what it costs, whether it is sent the key and is shown images."""

    provider: Provider
    model: str
    price: Price
    keyed: bool
    sees: bool = False

    def __str__(self) -> str:
        return f"{self.model} at {self.provider.base_url}"


def choose(place: str | None, model: str | None, price: Price | None, *, has_key: bool) -> Choice | None:
    """Return the text model that settings ask for, None where they ask for none, or raise InvalidRequest.

    Nothing is guessed where money is: a model whose price nobody knows is refused until TEXT_MODEL_PRICE says it.
    """
    provider = _provider(place)
    if not has_key and provider.name in PROVIDERS and not provider.own:
        if place is None and model is None:
            return None
        raise InvalidRequest(f"OPENAI_API_KEY: it is missing, and the text model at {provider.base_url} asks for it.")
    name = model or provider.default_model
    if name is None:
        raise InvalidRequest(f"TEXT_MODEL: it is missing; name a model that {provider.base_url} serves.")
    known = FREE if provider.own else provider.prices.get(_OF_A_DAY.sub("", name))
    charged = price or known
    if charged is None:
        advice = "in dollars per million tokens in and out, for example 0.40,1.60 (0,0 where it is free)"
        raise InvalidRequest(f"TEXT_MODEL_PRICE: it is missing, and what {name} costs is not known; set it {advice}.")
    return Choice(provider, name, charged, keyed=has_key and not provider.own)


def _provider(place: str | None) -> Provider:
    if place is None:
        return OPENAI
    return PROVIDERS.get(place) or Provider("", place)
