"""The route by which production says how a version did."""

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, model_validator

from web.api.fields import Id, PromptKey, Strict
from web.domain.prompts.feedback import FeedbackVerdict, Report
from web.domain.prompts.prompt import DEFAULT_KEY
from web.domain.text import plain
from web.http.edge.session import FeedbackSender, context
from web.services.prompts import feedback

router = APIRouter(prefix="/api/v1", tags=["feedback"])

COMMENT_LIMIT = 300


class FeedbackIn(Strict):
    """What production saw of a version; the same id sent again with the same content changes nothing."""

    id: Id
    prompt_key: PromptKey = DEFAULT_KEY
    version: Annotated[str, Field(pattern=r"^v[0-9]+\.[0-9]+\.[0-9]+$", max_length=40)]
    at: Annotated[AwareDatetime, Field(strict=False)] | None = None
    score: Annotated[float, Field(ge=1, le=5)] | None = None
    comment: Annotated[str, Field(max_length=COMMENT_LIMIT), AfterValidator(plain)] = ""
    failure: Annotated[str, Field(pattern=r"^[a-z0-9_-]*$", max_length=64)] = ""

    @model_validator(mode="after")
    def _says_something(self) -> "FeedbackIn":
        if self.score is None and not self.comment.strip() and not self.failure:
            raise ValueError("send a score, a comment or a failure")
        return self


class FeedbackOut(BaseModel):
    """What became of a report: stored, or replayed where it was known."""

    id: str
    verdict: FeedbackVerdict


@router.post("/feedback", max_body_size=16_000)
def send(request: Request, sender: FeedbackSender, given: FeedbackIn) -> FeedbackOut:
    """Keep what production saw of a released version; 409 where its id was used for another report."""
    verdict = feedback.send(context(request).parts, sender, Report(**given.model_dump()))
    return FeedbackOut(id=given.id, verdict=verdict)
