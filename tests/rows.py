"""Rows put straight into a store, for tests of what is read from it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ml_service.wire.contract import (
    Best,
    Convergence,
    CurvePoint,
    Diagnosis,
    FloatParameter,
    Interval,
    ParameterReport,
    ParameterSpace,
    RaterEffect,
)
from web.adapters.database.store import SqlStore
from web.domain.access import Role
from web.domain.accounts import Membership, User
from web.domain.ids import new_id
from web.domain.prompts.prompt import Prompt, PromptVersion
from web.domain.rating.rating import Answer, Rating, SkipReason
from web.domain.studies.experiment import Experiment, ExperimentState, Option, Output
from web.domain.studies.study import Input, Learnt, Project, Study
from web.rows.transaction import Transaction

SPACE = ParameterSpace(parameters={"exposure": FloatParameter(low=-1, high=1, default=0, unit="EV")})


@dataclass
class Rows:
    """A project with a study, a prompt version and two people; times move on by a minute with each rating."""

    store: SqlStore
    now: datetime
    project: str = field(default_factory=new_id)
    study: Study = field(init=False)
    anna: User = field(init=False)
    bob: User = field(init=False)
    version: PromptVersion = field(init=False)

    def __post_init__(self) -> None:
        key = f"photo-{self.project[-6:]}"
        with self.store.begin() as tx:
            tx.projects.add(Project(self.project, "Palate", self.now))
            self.anna, self.bob = (self.person(tx, name) for name in ("anna", "bob"))
            tx.prompts.add(Prompt(key, self.project, self.now))
            self.version = tx.versions.add(PromptVersion(new_id(), key, 1, "v1.0.0", {}, self.now, "test"))
            self.study = tx.studies.add(
                Study(new_id(), self.project, "Photos", "running", {"local": SPACE}, key, self.now, daily_target=10)
            )

    def person(self, tx: Transaction, name: str, role: Role = "rater") -> User:
        user = tx.users.add(User(new_id(), f"{name}-{self.project[-6:]}@example.org", self.now))
        tx.memberships.add(Membership(new_id(), self.project, user.id, role, self.now))
        return user

    def source(self, name: str = "photo") -> Input:
        one = Input(new_id(), self.study.id, "image", name, new_id(), f"inputs/{name}", "image/jpeg", self.now, 48, 48)
        with self.store.begin() as tx:
            return tx.inputs.add(one)

    def option(
        self, source: Input, exposure: float = 0.0, state: ExperimentState = "ready", version: str | None = None
    ) -> Option:
        """Add an experiment with one ready option."""
        experiment = Experiment(new_id(), self.study.id, source.id, "explore", state, self.now, self.now)
        output = Output(new_id(), new_id(), f"outputs/{new_id()}", "image/jpeg", 48, 48, 100, self.now)
        option = Option(
            id=new_id(),
            experiment_id=experiment.id,
            study_id=self.study.id,
            input_id=source.id,
            position=0,
            generator="local",
            version=version or self.version.id,
            point={"exposure": exposure},
            seed=0,
            state="ready",
            why="explore",
            output_id=output.id,
            cost_micros=1500,
        )
        with self.store.begin() as tx:
            tx.experiments.add(experiment)
            tx.outputs.add(output)
            return tx.options.add(option)

    def rate(
        self,
        option: Option,
        rater: User,
        score: float | None = 4,
        *,
        skip: SkipReason | None = None,
        tags: tuple[str, ...] = (),
        comment: str = "",
        flagged: bool = False,
        late: bool = False,
        at: datetime | None = None,
    ) -> Rating:
        self.now += timedelta(minutes=1)
        answer = Answer(new_id(), option.id, None if skip else score, skip, tags, comment, flagged)
        rating = Rating.of(answer, option, rater.id, at or self.now, late=late)
        with self.store.begin() as tx:
            assert tx.of_ratings.add_once([rating])
        return rating

    def undo(self, rating: Rating) -> None:
        self.now += timedelta(minutes=1)
        with self.store.begin() as tx:
            assert tx.of_ratings.undo(rating.id, rating.judge_id, self.now)

    def learn(self, used: int, mean: float = 4.0) -> Learnt:
        """Keep a diagnosis that knows so many ratings."""
        self.now += timedelta(minutes=1)
        learnt = Learnt(new_id(), self.study.id, new_id(), diagnosis(self.anna.id, used, mean), self.now)
        with self.store.begin() as tx:
            return tx.diagnoses.add(learnt)


def diagnosis(rater: str, used: int, mean: float) -> Diagnosis:
    """What an optimizer could say of the study."""
    near = Interval(mean=mean, low=mean - 0.3, high=mean + 0.3)
    curve = tuple(CurvePoint(value=value / 10, rating=near) for value in range(-10, 11, 5))
    return Diagnosis(
        best=Best(generator="local", point={"exposure": 0.25}, rating=near, gain=Interval(mean=0.6, low=0.2, high=1)),
        convergence=Convergence(gain_left=0.21, probability_near_best=0.4),
        parameters={"exposure": ParameterReport(curve=curve, importance=1, settled=0.5)},
        raters=(RaterEffect(rater=rater, ratings=used, effect=Interval(mean=0.1, low=-0.2, high=0.4)),),
        variance=None,
        ratings_used=used,
        history="h",
    )
