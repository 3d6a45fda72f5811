"""A project that has grown: rows of years, put straight into the store of a world, for tests and benchmarks of size."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from ml_service.wire.contract import (
    Best,
    Convergence,
    CurvePoint,
    Diagnosis,
    GroupEffect,
    Interval,
    ParameterReport,
    RaterEffect,
)
from tests.world import World
from web.domain.abtests.abtest import ABTest, Decision, Design, Evidence, Pair
from web.domain.accounts import ApiKey, Link, Membership, Session, User
from web.domain.evolution.evolution import Proposed, Round
from web.domain.ids import new_id
from web.domain.job import Job
from web.domain.prompts.feedback import Feedback
from web.domain.prompts.prompt import DEFAULT_KEY, Prompt, PromptVersion
from web.domain.rating.enrolment import Enrolment
from web.domain.rating.rating import Answer, Exclusion, Rating
from web.domain.studies.experiment import Experiment, ExperimentKind, Option, Output
from web.domain.studies.study import Input, Learnt
from web.services.audit.record import record
from web.services.prompts import pointers, promotion

RATERS = 40  # of the people, who gave the ratings
BATCH = 2000  # ratings in memory at a time
LIVED = timedelta(days=600)
TAGS = ("too_dark", "too_bright", "noisy", "hazy")
SAID = "The sky is a little too bright for me, and the faces are somewhat noisy."
CHANGED = "Asks for warmer light on faces and leaves the sky as it was, since raters found it too bright."


@dataclass(frozen=True)
class Many:
    """How many there are of what a project gathers beside its ratings."""

    people: int = 400
    studies: int = 300
    inputs: int = 700
    versions: int = 500
    prompts: int = 400
    tests: int = 500
    pairs: int = 700
    rounds: int = 400
    jobs: int = 300
    moves: int = 500
    diagnoses: int = 300
    sitting: int = 300  # people who rated one and the same experiment


def grow(world: World, ratings: int, many: Many | None = None, seed: int = 1) -> dict[str, str]:
    """Let a world live for years: so many ratings, and all that goes with them; its clock stands still.

    Returned are ids of rows that grew, by the names that paths use.
    """
    return _Growth(world, many or Many(), Random(seed)).all(ratings)


class _Growth:
    """The rows of one project, each with the time at which it was made."""

    def __init__(self, world: World, many: Many, random: Random) -> None:
        self.world, self.many, self.random = world, many, random
        self.store, self.study, self.project = world.parts.store, world.study, world.admin.project_id
        self.now = world.clock.now()
        self.people = self._people()
        self.versions = self._versions()
        self.inputs = self._inputs()

    def all(self, ratings: int) -> dict[str, str]:
        for begun in range(0, ratings, BATCH):
            self._rated(begun, min(begun + BATCH, ratings), ratings)
        ids = {"experiment_id": self._sitting(), "test_id": self._tests(), "user_id": self.people[0]}
        self._rounds()
        self._diagnoses(ratings)
        self._ways_in()
        self._work()
        self._moves()
        return ids | {"input_id": self.inputs[0].id}

    def _at(self, share: float) -> datetime:
        """Return when something was done, by how much of the life was over by then."""
        return self.now - LIVED * (1 - share)

    def _people(self) -> list[str]:
        """Add members who stand in the study in all ways there are."""
        users = [User(new_id(), f"person-{number}@example.org", self._at(0)) for number in range(self.many.people)]
        study, at = self.study.id, self._at(0.5)
        with self.store.begin() as tx:
            tx.users.add_all(users)
            tx.memberships.add_all(Membership(new_id(), self.project, one.id, "rater", at) for one in users)
            tx.enrolments.add_all(
                Enrolment(new_id(), study, one.id, at, read_at=at, trained_at=at, appeal=SAID, appealed_at=at)
                for one in users
            )
            tx.exclusions.add_all(
                Exclusion(new_id(), study, one.id, at, SAID, at, lifted_at=self.now if number % 8 else None)
                for number, one in enumerate(users)
            )
        return [one.id for one in users]

    def _versions(self) -> list[PromptVersion]:
        with self.store.begin() as tx:
            live = pointers.live_version(tx, DEFAULT_KEY)
            found, begun = [live], tx.of_prompts.next_number(DEFAULT_KEY)
            for number in range(begun, begun + self.many.versions):
                is_released = number % 5 == 0
                made = replace(
                    live,
                    id=new_id(),
                    number=number,
                    name=f"v7.{number}.0" if is_released else None,
                    status="released" if is_released else "candidate",
                    parents=(self.random.choice((live, found[-1])).id,),
                    sha256=f"{number:064}" if is_released else "",
                    created_at=self._at((number - begun) / self.many.versions),
                    changelog=CHANGED,
                    revision=0,
                )
                found.append(made)
            tx.versions.add_all(found[1:])
            keys = [f"prompt-{number:04}" for number in range(self.many.prompts)]
            tx.prompts.add_all(Prompt(key, self.project, self.now) for key in keys)
            others = [replace(live, id=new_id(), prompt_key=key, parents=()) for key in keys]
            tx.versions.add_all(others)
            for one in others:
                pointers.make(tx, one.prompt_key, one.id, self.now)
        return found

    def _inputs(self) -> list[Input]:
        study = self.study.id
        found = [
            Input(new_id(), study, "image", f"photo {number}.jpg", new_id(), "", "image/jpeg", self._at(0), 4000, 3000)
            for number in range(self.many.inputs)
        ]
        copies = [replace(self.study, id=new_id(), name=f"Photos of {number}") for number in range(self.many.studies)]
        with self.store.begin() as tx:
            tx.inputs.add_all(found)
            tx.studies.add_all(replace(one, state="paused", revision=0) for one in copies)
        return found

    def _rated(self, begun: int, ended: int, of: int) -> None:
        """Add ratings, one of each option, two of each experiment."""
        experiments, options, outputs, ratings = [], [], [], []
        for number in range(begun, ended, 2):
            at = self._at(number / of)
            experiment, shown = self._experiment(number, at)
            rater = self.people[self.random.randrange(RATERS)]
            experiments.append(experiment)
            options += [option for option, _ in shown]
            outputs += [output for _, output in shown]
            ratings += [self._rating(option, rater, at + timedelta(seconds=5)) for option, _ in shown]
        with self.store.begin() as tx:
            tx.experiments.add_all(experiments)
            tx.outputs.add_all(outputs)
            tx.options.add_all(options)
            tx.ratings.add_all(ratings)

    def _experiment(self, number: int, at: datetime) -> tuple[Experiment, list[tuple[Option, Output]]]:
        source = self.inputs[number // 2 % len(self.inputs)]
        kind: ExperimentKind = "ab" if number % 5 == 0 else "explore"
        experiment = Experiment(new_id(), self.study.id, source.id, kind, "closed", at, at, closed_at=at)
        return experiment, [self._option(experiment, position, at) for position in (0, 1)]

    def _option(self, experiment: Experiment, position: int, at: datetime) -> tuple[Option, Output]:
        key = new_id()
        output = Output(new_id(), key, f"outputs/{key}", "image/jpeg", 4000, 3000, 2**20, at)
        option = Option(
            id=new_id(),
            experiment_id=experiment.id,
            study_id=self.study.id,
            input_id=experiment.input_id,
            position=position,
            generator="local",
            version=self.random.choice(self.versions).id,
            point={"exposure": self.random.uniform(-1, 1), "contrast": self.random.uniform(0.7, 1.3)},
            seed=0,
            state="ready",
            why="explore",
            output_id=output.id,
            cost_micros=1500,
        )
        return option, output

    def _rating(self, option: Option, rater: str, at: datetime) -> Rating:
        tags = tuple(tag for tag in TAGS if self.random.random() < 0.15)
        comment = SAID if self.random.random() < 0.2 else ""
        answer = Answer(new_id(), option.id, self.random.randint(1, 5), tags=tags, comment=comment, seen_ms=900)
        return Rating.of(answer, option, rater, at, late=False)

    def _sitting(self) -> str:
        """Add one experiment that many people rated, and return its id."""
        experiment, shown = self._experiment(1, self._at(0.9))
        sat = self.people[: self.many.sitting]
        with self.store.begin() as tx:
            tx.experiments.add(experiment)
            tx.outputs.add_all(output for _, output in shown)
            tx.options.add_all(option for option, _ in shown)
            tx.ratings.add_all(
                replace(self._rating(option, one, self._at(0.9)), comment=SAID) for option, _ in shown for one in sat
            )
        return experiment.id

    def _tests(self) -> str:
        """Add tests that were decided, the first of them with many pairs, and return its id."""
        found = [self._test(number) for number in range(self.many.tests)]
        with self.store.begin() as tx:
            tx.ab_tests.add_all(found)
            asked = tx.experiments.all(study_id=self.study.id, kind="ab")[: self.many.pairs]
            tx.ab_pairs.add_all(self._pair(found[0], number, one) for number, one in enumerate(asked, 1))
        return found[0].id

    def _test(self, number: int) -> ABTest:
        champion, challenger = self.versions[0].id, self.random.choice(self.versions).id
        found = Evidence(challenger, 60, 0.2, -0.3, 0.6, 3.5, 0.3, {"noisy": 0.8})
        at = self._at(number / self.many.tests)
        return ABTest(
            id=new_id(),
            project_id=self.project,
            study_id=self.study.id,
            prompt_key=DEFAULT_KEY,
            kind="challenge",
            state="decided",
            champion=champion,
            challengers=(challenger,),
            design=Design(most_pairs=5000),
            policy="auto",
            created_at=at,
            hypothesis=SAID,
            opened_by=self.people[0],
            decision=Decision("cap", None, (found,)),
            decided_at=at,
            settled_at=at,
        )

    def _pair(self, test: ABTest, number: int, experiment: Experiment) -> Pair:
        rater, stars = self.people[number % RATERS], self.random.choice((-1.0, 0.0, 1.0))
        return Pair(
            id=new_id(),
            test_id=test.id,
            experiment_id=experiment.id,
            input_id=experiment.input_id,
            challenger=test.challengers[0],
            state="closed",
            created_at=experiment.created_at,
            number=number,
            difference=stars,
            tags={"noisy": -1.0},
            given={rater: stars},
            closed_at=experiment.created_at,
        )

    def _rounds(self) -> None:
        tried = Proposed("targeted", self.versions[-1].id, CHANGED, "More of it will be liked.", "", SAID)
        made = [
            Round(
                id=new_id(),
                project_id=self.project,
                study_id=self.study.id,
                prompt_key=DEFAULT_KEY,
                state="proposed",
                samples=10 * number,
                created_at=self._at(number / self.many.rounds),
                parents=(self.versions[0].id,),
                evidence=tuple(new_id() for _ in range(12)),
                diagnosis=SAID,
                proposed=(tried, tried),
                model="scripted",
                finished_at=self.now,
            )
            for number in range(self.many.rounds)
        ]
        with self.store.begin() as tx:
            tx.rounds.add_all(made)

    def _diagnoses(self, ratings: int) -> None:
        count = self.many.diagnoses
        with self.store.begin() as tx:
            tx.diagnoses.add_all(
                Learnt(
                    new_id(),
                    self.study.id,
                    new_id(),
                    self._diagnosis(ratings * at // count, at == count),
                    self._at(at / count),
                )
                for at in range(1, count + 1)
            )

    def _diagnosis(self, used: int, is_newest: bool) -> Diagnosis:
        """Return what was learnt of so many ratings; raters and versions are in the newest, which alone is shown."""
        near = Interval(mean=3.5, low=3.2, high=3.8)
        parameters = self.study.parameters("local")
        curves = {
            name: tuple(CurvePoint(value=one.low + at * (one.high - one.low) / 32, rating=near) for at in range(33))
            for name, one in parameters.items()
            if one.kind == "float"
        }
        effect = Interval(mean=0.1, low=-0.2, high=0.4)
        return Diagnosis(
            best=Best(
                generator="local",
                point={name: one.default for name, one in parameters.items()},
                rating=near,
                gain=Interval(mean=0.6, low=0.2, high=1),
            ),
            convergence=Convergence(gain_left=0.21, probability_near_best=0.4),
            parameters={name: ParameterReport(curve=one, importance=0.5, settled=0.5) for name, one in curves.items()},
            raters=tuple(RaterEffect(rater=one, ratings=used, effect=effect) for one in self.people if is_newest),
            versions=tuple(GroupEffect(name=one.id, ratings=used, effect=effect) for one in self.versions if is_newest),
            variance=None,
            ratings_used=used,
            history="h",
        )

    def _ways_in(self) -> None:
        """Add links, sessions and keys."""
        expires = self.now + timedelta(days=1)
        with self.store.begin() as tx:
            tx.links.add_all(
                Link(new_id(), new_id(), self.project, "rater", f"asked-{number}@example.org", self.now, expires)
                for number in range(self.many.people)
            )
            tx.sessions.add_all(
                Session(new_id(), new_id(), self.world.admin.user_id, self.project, self.now, expires, client="Firefox")
                for _ in range(self.many.people)
            )
            tx.keys.add_all(
                ApiKey(new_id(), new_id(), self.project, None, "a shop", "production", ("prompts:read",), self.now)
                for _ in range(self.many.people)
            )

    def _work(self) -> None:
        """Add jobs of each state, and what production said of the live version."""
        said = {"project_id": self.project, "prompt_key": DEFAULT_KEY, "version_id": self.versions[0].id}
        with self.store.begin() as tx:
            tx.jobs.add_all(
                Job(
                    id=new_id(),
                    key=f"{state}:{number}",
                    task="learn",
                    arguments={"study": self.study.id},
                    created_at=self.now,
                    due_at=self.now,
                    state=state,
                    error=SAID * 3,
                    finished_at=self.now,
                    study_id=self.study.id,
                )
                for state in ("waiting", "parked", "done")
                for number in range(self.many.jobs)
            )
            tx.feedback.add_all(
                Feedback(
                    new_id(),
                    key_id="",
                    fingerprint="",
                    at=self.now,
                    received_at=self.now,
                    score=4,
                    failure=f"f{at}",
                    **said,
                )
                for at in range(self.many.jobs)
            )

    def _moves(self) -> None:
        """Add events of the audit: moves of what is live there and back."""
        names = [one.name for one in self.versions if one.name]
        with self.store.begin() as tx:
            pointer = pointers.find(tx, DEFAULT_KEY)
            assert pointer is not None
            for number in range(self.many.moves):
                told = {"from": names[number % len(names)], "to": names[-1], "revision": str(pointer.revision - 1)}
                at, subject = self._at(number / self.many.moves), ("pointer", pointer.id)
                record(tx, at, self.world.admin, promotion.PROMOTED, subject, details=told, note=SAID)
