"""The text model that the settings ask for, with all that belongs round it."""

from web.ports.models import TextModel
from web.ports.time import Clock
from web.rows.transaction import Store
from web.settings import Settings


def text_model(settings: Settings, store: Store, clock: Clock) -> TextModel | None:
    """Return the text model that is set, or None where none is: then prompts evolve by the scripted one.

    Who has set none does not pay for loading the package that speaks to one.
    """
    choice = settings.text_model_choice
    if choice is None:
        return None
    from web.adapters.models.ledger import Ledger
    from web.adapters.models.openai import OpenAIModel
    from web.adapters.models.wrappers import Cached, Metered, Retrying

    key = settings.openai_api_key.get_secret_value() if settings.openai_api_key else None
    ledger = Ledger(store, clock, choice, settings.text_model_budget_micros)
    return Cached(Metered(Retrying(OpenAIModel(choice, key)), ledger), ledger)
