"""What services need from outside, as protocols; adapters satisfy them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from ml_service.errors import UnusableAnswer
from ml_service.objects import ObjectStore
from ml_service.wire.contract import DiagnoseRequest, Diagnosis, ParameterSpace, Point, Suggestion, SuggestRequest
from web.domain.audit.audit import Event
from web.domain.audit.trail import EventFilter, EventLine
from web.domain.job import Job, JobState
from web.domain.rating.standing import RatersReport
from web.domain.rating.work import Given
from web.domain.reports.history import Choices, Cursor, Entry, Filter, OwnEntry, Page
from web.domain.reports.report import ExperimentDetail, InputLine, Needed, OwnReport, StudyLine, StudyReport
from web.domain.studies.study import Study
from web.transactions import Store


@dataclass(frozen=True)
class GenerateRequest:
    """One way to treat one source: its bytes, the rendered prompt components, a point of the space, a seed."""

    source: bytes
    media_type: str
    prompt: Mapping[str, str]
    point: Point
    seed: int


@dataclass(frozen=True)
class Generated:
    """What a generator made, without any metadata of the source; cost in micro-dollars."""

    body: bytes
    media_type: str
    width: int
    height: int
    cost_micros: int = 0


class Generator(Protocol):
    """Makes an output from a source; the same request gives the same bytes wherever the provider allows it."""

    name: str

    def space(self) -> ParameterSpace:
        """Return the parameters that can be tuned, with ranges, units and defaults."""
        ...

    def limits(self) -> Mapping[str, int]:
        """Return the components of a prompt that it reads, and how many characters it takes of each."""
        ...

    def generate(self, request: GenerateRequest) -> Generated:
        """Make one output, or raise a ServiceError that says why not."""
        ...


class Optimizer(Protocol):
    """Says what to try next and what was learnt; the same request gets the same answer."""

    def suggest(self, request: SuggestRequest) -> Suggestion:
        """Propose points worth a rating."""
        ...

    def diagnose(self, request: DiagnoseRequest) -> Diagnosis:
        """Say what the ratings tell about the space."""
        ...


@dataclass(frozen=True)
class TextRequest:
    """One question to a text model, whose answer is a JSON object of a schema.

    Providers want every property of the schema required and no others allowed. `purpose`, `project_id` and `study_id`
    are for the ledger; the model is not told. The same question is answered from the cache: for another answer, ask
    with another seed. Images are JPEG, PNG or WebP.
    """

    system: str
    user: str
    schema: Mapping[str, Any]
    schema_name: str
    most_tokens: int
    seed: int
    purpose: str
    project_id: str
    study_id: str | None = None
    temperature: float | None = None
    images: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class Completion:
    """What a text model answered: `parsed` where it is of the schema, otherwise `fault` says in words what is wrong."""

    text: str
    parsed: Mapping[str, Any] | None
    fault: str
    model: str
    tokens_in: int
    tokens_out: int
    cost_micros: int
    seconds: float
    cached: bool = False

    def answer(self) -> Mapping[str, Any]:
        """Return the JSON object, or raise UnusableAnswer with what is wrong."""
        if self.parsed is None:
            raise UnusableAnswer(self.fault)
        return self.parsed


class TextModel(Protocol):
    """Answers questions in words with JSON objects."""

    @property
    def sees(self) -> bool:
        """Whether it is to be shown images."""
        ...

    def complete(self, request: TextRequest) -> Completion:
        """Answer, or raise a ServiceError that says why there is no answer; an unusable one is returned as such."""
        ...

    def worst(self, request: TextRequest) -> int:
        """Return the most micro-dollars that a question may cost."""
        ...


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Return the time in UTC."""
        ...


class ImageCleaner(Protocol):
    """Takes hostile bytes in and gives a clean image out."""

    def clean(self, body: bytes) -> "CleanImage":
        """Return the image re-encoded without metadata, or raise InvalidRequest or TooLarge with the reason."""
        ...

    def thumbnail(self, body: bytes, side: int) -> bytes:
        """Return a clean image as JPEG, its longer side at most so many pixels."""
        ...


@dataclass(frozen=True)
class CleanImage:
    """An image that is safe to keep and to show: sRGB, upright, no metadata."""

    body: bytes
    media_type: str
    width: int
    height: int


class Passwords(Protocol):
    """Hashes passwords slowly, so that nobody can try many."""

    def hash(self, password: str) -> str:
        """Return what is kept of a password."""
        ...

    def verify(self, hashed: str, password: str) -> bool:
        """Tell whether a password is the one that was hashed; takes as long either way."""
        ...

    def is_outdated(self, hashed: str) -> bool:
        """Tell whether a hash was made with other parameters than today's."""
        ...


@dataclass(frozen=True)
class Parts:
    """What an app or a worker is built from; `published` holds the prompt versions that production reads.

    `retention` is how long outputs are kept that no rating needs; None keeps them for ever. `degrader` makes copies of
    sources that are plainly worse, by a point of one `fault`; without it none are made. Without a `text_model` prompts
    evolve by a script.
    """

    store: Store
    objects: ObjectStore
    published: ObjectStore
    generators: Mapping[str, Generator]
    optimizer: Optimizer
    cleaner: ImageCleaner
    clock: Clock
    reports: "Reports"
    passwords: Passwords
    retention: timedelta | None = None
    degrader: Generator | None = None
    text_model: TextModel | None = None


class Reports(Protocol):
    """Answers questions without changing anything; a rater's answers hold only their own rows."""

    def change(self, study_id: str) -> str:
        """Return an opaque text that is another one whenever something of a study has changed."""
        ...

    def study(self, study: Study, now: datetime, today: datetime) -> StudyReport:
        """Return all that the status of a study shows to admins; `today` is when the day of who asks began."""
        ...

    def raters(self, study: Study) -> RatersReport:
        """Return what the raters of a study are like, how far they agree, and which items they like best."""
        ...

    def given(self, study: Study) -> tuple[Given, ...]:
        """Return the standing scores that people gave in a study, oldest first."""
        ...

    def own(self, study: Study, rater_id: str, today: datetime) -> OwnReport:
        """Return a rater's own numbers of a study; `today` is when their day began."""
        ...

    def entries(self, project_id: str, wanted: Filter, after: Cursor | None, limit: int) -> Page[Entry]:
        """Return rows of a project's history, newest first."""
        ...

    def own_entries(
        self, project_id: str, rater_id: str, wanted: Filter, after: Cursor | None, limit: int
    ) -> Page[OwnEntry]:
        """Return a rater's own rows, newest first."""
        ...

    def every_entry(self, project_id: str, wanted: Filter) -> Iterator[Entry]:
        """Go through a whole history, newest first, without holding it in memory."""
        ...

    def every_own_entry(self, project_id: str, rater_id: str, wanted: Filter) -> Iterator[OwnEntry]:
        """Go through a rater's own history as `every_entry` does."""
        ...

    def choices(self, project_id: str) -> Choices:
        """Return what the filters of a project's history offer."""
        ...

    def experiment(self, project_id: str, experiment_id: str) -> ExperimentDetail:
        """Return one experiment whole, or raise NotFound."""
        ...

    def studies(self, project_id: str) -> tuple[StudyLine, ...]:
        """Return the studies of a project, newest first, archived ones last."""
        ...

    def inputs(self, study_id: str) -> tuple[InputLine, ...]:
        """Return the present inputs of a study, newest first."""
        ...

    def jobs(self, project_id: str, state: JobState, limit: int) -> tuple[Job, ...]:
        """Return the jobs of a project's studies and of no study that are in a state."""
        ...

    def events(self, project_id: str, wanted: EventFilter, after: int | None, limit: int) -> Page[EventLine]:
        """Return events of a project's audit, newest first, from before the one of a number."""
        ...

    def every_event(self, project_id: str, wanted: EventFilter) -> Iterator[EventLine]:
        """Go through a project's audit, newest first, without holding it in memory."""
        ...

    def chain(self, project_id: str, after: int = 0) -> Iterator[Event]:
        """Go through a project's events by number, from behind one, without holding them in memory."""
        ...

    def actors(self, project_id: str) -> dict[str, str]:
        """Return who may have acted in a project: names by id."""
        ...

    def needed_objects(self) -> Iterator[Needed]:
        """Go through the objects that present inputs and what was made of them need."""
        ...
