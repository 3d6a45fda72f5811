"""What raters are told, and what they say of themselves: the guide of a study, consent, and appeals."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from web.api.rating.train_schemas import OnboardingOut, Out, StudyOut, Tab
from web.domain.studies.guide import SCORES
from web.http.answers.images import IMAGE, UNCHANGED, image_response, unchanged
from web.http.edge.session import Rater, context
from web.http.wire.etags import is_known
from web.services.rating import enrolment, views
from web.services.rating.views import Told

router = APIRouter(prefix="/api/train", tags=["rating"])
MOST_APPEAL = enrolment.MOST_WORDS


class AnchorOut(Out):
    """What a score means, and where an example of it is, if there is any."""

    score: int
    label: str
    words: str
    example_url: str | None


class GuideOut(Out):
    """What raters of a study are told; paragraphs stand apart by an empty line.

    `consent_hash` is what is sent back to consent; both are empty where nobody is asked. `unsafe_ok` is what the rater
    chose.
    """

    study: StudyOut
    words: str
    anchors: list[AnchorOut]
    tags: dict[str, str]
    consent: str
    consent_hash: str
    unsafe_ok: bool
    daily_target: int


class EnrolmentIn(BaseModel):
    """What a rater says of themselves; what is left out stays.

    `consent` is the guide's `consent_hash`, `time_zone` an IANA name, `message_read` the `at` of the message that was
    read.
    """

    model_config = ConfigDict(extra="forbid")

    study: str | None = None
    consent: Annotated[str, Field(max_length=64)] | None = None
    read: bool = False
    unsafe_ok: bool | None = None
    message_read: AwareDatetime | None = None
    time_zone: Annotated[str, Field(max_length=64)] | None = None


class AppealIn(BaseModel):
    """What a rater says of how they are judged."""

    model_config = ConfigDict(extra="forbid")

    study: str | None = None
    words: Annotated[str, Field(max_length=2 * MOST_APPEAL)]


class AppealOut(Out):
    """A rater's appeal and the answer to it, empty while there is none."""

    appeal: str
    answered: str


@router.get("/guide", responses={200: {"model": GuideOut}})
def guide(request: Request, rater: Rater, study: str | None = None, tab: Tab = "") -> Response:
    """Return what raters of a study are told; without `study`, of the one of the tab's next photos."""
    here = context(request)
    found = views.told(here.parts, rater, study, tab)
    chosen, told = found.study, found.study.guide
    out = GuideOut(
        study=StudyOut(id=chosen.id, name=chosen.name),
        words=told.words,
        anchors=[_anchor(found, score, label, here.urls.base) for score, label in SCORES.items()],
        tags=told.tags,
        consent=told.consent,
        consent_hash=told.consent_hash,
        unsafe_ok=found.place is None or found.place.unsafe_ok,
        daily_target=chosen.daily_target,
    )
    return _json(out)


def _anchor(found: Told, score: str, label: str, base: str) -> AnchorOut:
    study, output = found.study, found.examples.get(score)
    # The address changes with the example, as browsers keep what they have of it.
    query = f"study={study.id}&score={score}&v={output.content_hash[:8]}" if output else ""
    url = f"{base}/api/train/guide/example?{query}" if query else None
    return AnchorOut(score=int(score), label=label, words=study.guide.anchors[score], example_url=url)


@router.get("/guide/example", response_class=Response, responses={200: IMAGE, 304: UNCHANGED})
def example(request: Request, rater: Rater, study: str, score: Annotated[str, Query(pattern="^[1-5]$")]) -> Response:
    """Answer with the example of a score."""
    parts = context(request).parts
    stored = views.example(parts, rater, study, score)
    tag = f'"{stored.content_hash}"'
    if is_known(request, tag):
        return unchanged(tag)
    return image_response(parts.objects.read(stored.key), stored.media_type, etag=tag)


@router.post("/enrolment", responses={200: {"model": OnboardingOut}})
def enrol(request: Request, rater: Rater, given: EnrolmentIn, tab: Tab = "") -> Response:
    """Keep that a rater consents, read the guidelines or a message, or takes no unsafe content.

    Who rates several studies names the one they mean; with nothing said, that of the tab's next photos is looked up.
    """
    parts = context(request).parts
    said = enrolment.Said(given.consent, given.read, given.unsafe_ok, given.message_read)
    due = enrolment.enrol(parts, rater, given.study, said, tab)
    if given.time_zone is not None:
        enrolment.choose_time_zone(parts, rater, given.time_zone)
    return _json(OnboardingOut.model_validate(due))


@router.post("/appeal", responses={200: {"model": AppealOut}})
def appeal(request: Request, rater: Rater, given: AppealIn) -> Response:
    """Tell the admins that a judgement on one's ratings is wrong; the same words again change nothing."""
    kept = enrolment.appeal(context(request).parts, rater, given.study, given.words)
    return _json(AppealOut.model_validate(kept))


def _json(out: Out) -> Response:
    return Response(out.model_dump_json(), media_type=JSONResponse.media_type)
