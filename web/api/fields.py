"""Fields that several bodies have in common."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from web.domain.ids import is_id
from web.domain.text import plain

NOTE_LIMIT = 500


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
