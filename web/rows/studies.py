"""Studies, their inputs, experiments and options, and the objects these need."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from web.domain.studies.assigning import Assignment, Mine, Panel, PanelMember
from web.domain.studies.experiment import Experiment, ExperimentState, Option, Output
from web.domain.studies.stopping import Figures
from web.domain.studies.study import Input, Learnt, Study
from web.rows.collection import Collection


class StudyQueries(Protocol):
    """Named queries of studies."""

    def newest_diagnosis(self, study_id: str) -> Learnt | None:
        """Return what was learnt last of a study, or None."""
        ...

    def make_newest(self, diagnosis_id: str, now: datetime) -> None:
        """Let an earlier diagnosis be the newest again, as it is once the ratings since were undone."""
        ...

    def forget_old_diagnoses(self, study_id: str) -> None:
        """Keep a study's newest diagnoses, and a few older ones to show how it learnt; any can be made again."""
        ...

    def newest(self, project_id: str) -> Study | None:
        """Return the newest running study of a project, else the newest paused or finished one, or None."""
        ...

    def mine(self, project_id: str, rater_id: str, asked: str) -> tuple[Mine, ...]:
        """Return the running studies that a rater is assigned to, and so the one asked for in any state.

        A study comes once for each assignment that makes it theirs.
        """
        ...

    def resting(self, project_id: str, rater_id: str) -> Study | None:
        """Return the newest paused or finished study that a rater is assigned to, or None."""
        ...

    def seen_by(self, project_id: str, rater_id: str) -> tuple[Study, ...]:
        """Return the studies of a project that a rater is assigned to or was ever given something of."""
        ...

    def lock(self, study_id: str) -> Study:
        """Return a study, which nobody else changes or plans for until this transaction ends."""
        ...

    def hold(self, study_id: str) -> Study:
        """Return a study, which nobody changes until this transaction ends."""
        ...

    def figures(self, study_id: str) -> Figures:
        """Return what the stop rules of a study look at."""
        ...

    def price(self, study_id: str) -> int:
        """Return the micro-dollars that an option of a study has cost on average."""
        ...

    def lock_input(self, input_id: str) -> Input | None:
        """Return an input, which nobody else changes or builds on until this transaction ends."""
        ...

    def has_grown(self, study_id: str, since: str) -> bool:
        """Tell whether a study has a present input that was added after the row with an id was."""
        ...

    def hold_inputs(self, study_id: str, input_id: str | None = None) -> tuple[Input, ...]:
        """Return the present inputs of a study, or the one named, which stay present until this transaction ends."""
        ...


class ExperimentQueries(Protocol):
    """Named queries of experiments and options."""

    def pending(self, study_id: str) -> tuple[Option, ...]:
        """Return the options to learn from that are alive and have no rating yet."""
        ...

    def rated(self, study_id: str) -> tuple[Option, ...]:
        """Return the options to learn from that have a standing rating, those of inputs taken down left out."""
        ...

    def next_inputs(self, study_id: str, count: int, besides: Iterable[str] = ()) -> tuple[Input, ...]:
        """Return the present inputs whose turn it is, none held out; options of some experiments may be left out.

        Strata have shares of the options still counting that are as large as their shares of the inputs. In a stratum
        those with the fewest come first, oldest first among equals.
        """
        ...

    def unseen(self, study_id: str) -> tuple[Option, ...]:
        """Return the options of explore experiments from the queue that are alive and that nobody has ever held."""
        ...

    def lock(self, ids: Iterable[str]) -> dict[str, Experiment]:
        """Return experiments by id, locked in a fixed order until the transaction ends."""
        ...

    def move(self, ids: Iterable[str], state: ExperimentState, now: datetime) -> None:
        """Put locked experiments into a state."""
        ...

    def count_samples(self, study_id: str) -> int:
        """Count the explore and A/B experiments that are closed."""
        ...


class ObjectQueries(Protocol):
    """Named queries of what objects are for."""

    def needed(self, keys: Iterable[str]) -> frozenset[str]:
        """Return those of some names that a present input, or an output made of one, has."""
        ...

    def made_of(self, input_id: str) -> tuple[str, ...]:
        """Return the names of the outputs made of an input."""
        ...

    def unneeded(self, before: datetime, limit: int, among: Iterable[str] | None = None) -> tuple[str, ...]:
        """Return the names of outputs made before a time, and set aside before it, that nobody rated or holds."""
        ...

    def remove(self, keys: Iterable[str], now: datetime) -> None:
        """Note that the bytes of outputs go."""
        ...

    def revive(self, output_id: str, key: str) -> None:
        """Note that the bytes of an output are there again, under a new name."""
        ...

    def shared(self, project_id: str, content_hash: str) -> str | None:
        """Return the name under which present inputs of a project have a content, or None where none has it."""
        ...


class StudyRows(Protocol):
    """Studies, their inputs, experiments and options, and the objects these need."""

    studies: Collection[Study]
    inputs: Collection[Input]
    outputs: Collection[Output]
    experiments: Collection[Experiment]
    options: Collection[Option]
    diagnoses: Collection[Learnt]
    panels: Collection[Panel]
    panel_members: Collection[PanelMember]
    assignments: Collection[Assignment]
    of_studies: StudyQueries
    of_experiments: ExperimentQueries
    of_objects: ObjectQueries

    def lock_objects(self, keys: Iterable[str]) -> None:
        """Let one transaction at a time decide what becomes of all objects of the contents that these have."""
        ...
