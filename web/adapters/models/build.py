"""The text model that the settings ask for, with all that belongs round it."""

from web.ports.models import Ledger, TextModel
from web.settings import Settings


def text_model(settings: Settings, ledger: Ledger) -> TextModel | None:
    """Return the text model that is set, with its calls in the ledger, or None where none is.

    Who has set none does not pay for loading the package that speaks to one.
    """
    choice = settings.text_model_choice
    if choice is None:
        return None
    from web.adapters.models.openai import OpenAIModel
    from web.adapters.models.wrappers import Cached, Metered, Retrying

    key = settings.openai_api_key.get_secret_value() if settings.openai_api_key else None
    return Cached(Metered(Retrying(OpenAIModel(choice, key)), ledger, choice), ledger, choice)
