"""Fields that several bodies have in common."""

from collections.abc import Callable, Set
from typing import Annotated, Any, TypeVar, get_type_hints

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, create_model

from web.domain.ids import is_id
from web.domain.text import plain

NOTE_LIMIT = 500
M = TypeVar("M", bound=BaseModel)


def _canonical(given: str) -> str:
    if not is_id(given):
        raise ValueError("it must be a UUID in lower case")
    return given


Id = Annotated[str, Field(max_length=36), AfterValidator(_canonical)]
PromptKey = Annotated[str, Field(max_length=64)]
VersionName = Annotated[str, Field(max_length=40)]
Revision = Annotated[int, Field(ge=0, lt=2**31, description="The revision that was read; 409 where it has moved on.")]
Note = Annotated[str, Field(max_length=NOTE_LIMIT, description="Why, in a sentence or two."), AfterValidator(plain)]


class Strict(BaseModel):
    """A body in which no unknown field is passed over, and nothing is taken for what it is not."""

    model_config = ConfigDict(extra="forbid", strict=True)


def optional_fields(kind: type, but: Set[str] = frozenset()) -> Callable[[type[M]], type[M]]:
    """Give a model all fields of a dataclass but some; None, where one is left out."""
    hints = get_type_hints(kind)
    added: dict[str, Any] = {name: (hint | None, None) for name, hint in hints.items() if name not in but}

    def with_them(model: type[M]) -> type[M]:
        return create_model(model.__name__, __base__=model, __doc__=model.__doc__, __module__=model.__module__, **added)

    return with_them
