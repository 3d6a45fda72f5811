"""What the rating page sends and what it may know: every field here is on the allow-list, and no other goes out."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Header
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from web.domain.ids import is_id, new_id
from web.domain.rating.enrolment import Enrolment
from web.domain.rating.rating import Answer, SkipReason, Verdict
from web.domain.studies.guide import MOST_TAGS, TAG
from web.domain.text import COMMENT_LIMIT
from web.http.answers.images import ImageUrls
from web.services.rating.enrolment import NOTHING_TO_RATE, Onboarding
from web.services.rating.target import Progress
from web.services.rating.training import Held, Ruling, Turn
from web.services.rating.uploads import Upload

MOST_ANSWERS = 100

Tab = Annotated[str, Header(alias="X-Tab", max_length=64, description="A name of the browser tab, made by the page.")]


class Out(BaseModel):
    """A value that goes to a rater's page."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)


class OptionOut(Out):
    """One image to rate: where it is, and its size in pixels."""

    option_id: str
    image_url: str
    width: int
    height: int


class ExperimentOut(Out):
    """What is shown for one input: the original, and the options in the order to show them."""

    experiment_id: str
    lease_until: datetime
    practice: bool
    source_url: str
    source_width: int
    source_height: int
    options: list[OptionOut]


class ProgressOut(Out):
    """How many scores the rater has given today, of how many, and ever."""

    today: int
    target: int
    total: int


class StudyOut(Out):
    """The study that is being rated."""

    id: str
    name: str


class TrainingOut(Out):
    """How many items of the calibration are rated, and how many there are."""

    done: int
    of: int


class OnboardingOut(Out):
    """What is still to be done before rating: consent, guidelines to be read, calibration."""

    consent: bool
    guidelines: bool
    training: TrainingOut | None


class FromAdminOut(Out):
    """What an admin wrote to the rater; `at` is sent back as `message_read` once it was read."""

    words: str
    at: datetime


class TurnOut(Out):
    """What to rate now, or why there is nothing; `uploads` tells whether the rater may bring photos of their own."""

    state: Literal["ready", "generating", "empty", "paused", "finished"]
    message: str
    study: StudyOut | None
    uploads: bool
    progress: ProgressOut
    onboarding: OnboardingOut
    from_admin: FromAdminOut | None
    experiments: list[ExperimentOut]


class VerdictOut(Out):
    """What became of one answer; of a calibration item, `right` tells from which score to which is right."""

    id: str
    verdict: Verdict
    detail: str = ""
    right: tuple[int, int] | None = None


class RateOut(Out):
    """One verdict for each answer, in order."""

    verdicts: list[VerdictOut]
    progress: ProgressOut


class UndoneOut(Out):
    """An answer was taken back."""

    id: str
    verdict: Literal["undone"] = "undone"
    progress: ProgressOut


class UploadOut(Out):
    """How far an upload has come; the options are there once its state is ready."""

    experiment_id: str
    state: Literal["generating", "ready", "void"]
    watch: str
    done: int
    of: int
    message: str = ""
    source_url: str | None = None
    source_width: int | None = None
    source_height: int | None = None
    options: list[OptionOut] = []


class RateIn(BaseModel):
    """A batch of answers; each is judged by itself, so that a bad one does not hold up the others."""

    model_config = ConfigDict(extra="forbid")

    answers: list[Any] = Field(min_length=1, max_length=MOST_ANSWERS)


class AnswerIn(BaseModel):
    """A score from 1 to 5 or a reason to skip, for one option."""

    model_config = ConfigDict(extra="forbid", strict=True)

    id: Annotated[str, Field(max_length=36)]
    option_id: Annotated[str, Field(max_length=36)]
    score: Annotated[int, Field(ge=1, le=5)] | None = None
    skip: SkipReason | None = None
    tags: Annotated[list[Annotated[str, Field(pattern=TAG)]], Field(max_length=MOST_TAGS)] = []
    comment: Annotated[str, Field(max_length=COMMENT_LIMIT)] = ""
    flagged: bool = False
    client_seq: Annotated[int, Field(ge=0, lt=2**31)] = 0
    painted_at: Annotated[datetime, Field(strict=False)] | None = None
    seen_ms: Annotated[int, Field(ge=0, lt=2**31)] = 0

    def answer(self) -> Answer:
        """Return the domain's form, or raise ValueError with what is wrong."""
        if not is_id(self.id):
            raise ValueError("id must be a UUID")
        if (self.score is None) == (self.skip is None):
            raise ValueError("send either a score or a reason to skip")
        if self.painted_at is not None and self.painted_at.tzinfo is None:
            raise ValueError("painted_at needs its time zone")
        comment = "".join(character for character in self.comment if character.isprintable() or character == "\n")
        score = None if self.score is None else float(self.score)
        fields = self.model_dump(exclude={"score", "tags", "comment"})
        return Answer(**fields, score=score, tags=tuple(sorted(set(self.tags))), comment=comment)


def parse_answer(raw: object) -> Answer | Ruling:
    """Read one answer, or say what is wrong with it under the id it came with."""
    try:
        return AnswerIn.model_validate(raw).answer()
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return Ruling(_id_of(raw), "invalid", f"{where}: {first['msg']}" if where else first["msg"])
    except ValueError as error:
        return Ruling(_id_of(raw), "invalid", str(error))


def _id_of(raw: object) -> str:
    sent = raw.get("id") if isinstance(raw, dict) else None
    return sent[:36] if isinstance(sent, str) else new_id()


def turn_out(turn: Turn, due: Onboarding, urls: ImageUrls, *, uploads: bool) -> TurnOut:
    """Return what a rater's page may know of what it holds."""
    state, message = _explained(turn, uploads=uploads)
    return TurnOut(
        state=state,
        message=message,
        study=None if turn.study is None else StudyOut(id=turn.study.id, name=turn.study.name),
        uploads=uploads,
        progress=ProgressOut.model_validate(turn.progress),
        onboarding=OnboardingOut.model_validate(due),
        from_admin=_from_admin(turn.seat.enrolment),
        experiments=[_experiment_out(held, urls) for held in turn.held],
    )


def _from_admin(place: Enrolment | None) -> FromAdminOut | None:
    if place is None or place.message_at is None or not place.unread:
        return None
    return FromAdminOut(words=place.unread, at=place.message_at)


def _explained(
    turn: Turn, *, uploads: bool
) -> tuple[Literal["ready", "generating", "empty", "paused", "finished"], str]:
    if turn.held:
        return "ready", ""
    if turn.study is None:
        return "empty", NOTHING_TO_RATE
    if turn.seat.is_paused:
        reason = turn.seat.enrolment.pause_reason if turn.seat.enrolment else ""
        return (
            "paused",
            f"An admin lets you pause here: {reason} Your place is kept, and Status shows your numbers.",
        )
    if turn.study.state == "finished":
        return "finished", f"{turn.study.name} has learnt what it set out to learn. Every rating helped; thank you."
    if turn.study.state != "running":
        return "paused", f"{turn.study.name} is {turn.study.state}. What you have rated is safe."
    if turn.held_up:
        return "generating", "The next images are late. What you rated is safe, and they come up here by themselves."
    if turn.in_the_making:
        return "generating", "The next images are being made; they come up here by themselves."
    if uploads:
        return "empty", f"There are no photos in {turn.study.name} yet. Upload one and rate what is made of it."
    return "empty", f"{turn.study.name} has no photos for you now. They come up here once there are some."


def _experiment_out(held: Held, urls: ImageUrls) -> ExperimentOut:
    first = held.options[0]
    return ExperimentOut(
        experiment_id=first.experiment_id,
        lease_until=held.lease.until,
        practice=first.is_practice,
        source_url=urls.url(held.lease.id, first.input_id),
        source_width=first.source_width,
        source_height=first.source_height,
        options=[
            OptionOut(
                option_id=option.option_id,
                image_url=urls.url(held.lease.id, option.option_id),
                width=option.width,
                height=option.height,
            )
            for option in held.options
        ],
    )


def rated_out(rulings: Sequence[Ruling], progress: Progress) -> RateOut:
    """Return the verdicts of a batch."""
    return RateOut(
        verdicts=[VerdictOut.model_validate(ruling) for ruling in rulings],
        progress=ProgressOut.model_validate(progress),
    )


def upload_out(upload: Upload, urls: ImageUrls) -> UploadOut:
    """Return what the uploader may know of what is being made."""
    watch = f"{urls.base}/api/enhance/train/{upload.experiment_id}"
    told = {"experiment_id": upload.experiment_id, "watch": watch, "done": upload.done, "of": upload.of}
    if upload.state in ("void", "dropped"):
        return UploadOut(**told, state="void", message="No version of this image could be made. Try another image.")
    if upload.state not in ("ready", "closed"):
        return UploadOut(**told, state="generating")
    if not upload.shown:
        return UploadOut(**told, state="ready", message="You have rated all versions of this image.")
    shown = _experiment_out(Held(upload.lease, upload.shown), urls)
    return UploadOut(**told, **shown.model_dump(exclude={"experiment_id", "lease_until", "practice"}), state="ready")
