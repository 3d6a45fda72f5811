"""A small whole product for tests: real parts around a migrated store, a study with inputs, and people."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ml_service.objects.local import Folder
from ml_service.wire.contract import FloatParameter, ParameterSpace
from tests.clock import FixedClock
from tests.scanning import SCANNER
from web.adapters.database.store import SqlStore
from web.adapters.generators.atonce import AtOnce
from web.adapters.generators.degraded import DegradedCopies
from web.adapters.generators.local import LocalGenerator
from web.adapters.images.cleaner import Cleaner
from web.adapters.optimizer.near import NearOptimizer
from web.adapters.passwords import Argon2
from web.domain.access import Actor, Role
from web.domain.accounts import Membership, User
from web.domain.ids import new_id
from web.domain.rating.rating import Answer
from web.domain.studies.study import Input, Project, Study
from web.jobs.tasks import TASKS, Task
from web.jobs.worker import Worker
from web.ports.making import CleanImage
from web.ports.parts import Parts
from web.services.prompts import adoption
from web.services.rating import training
from web.services.studies import intake
from web.services.studies.studies import StudyDraft, make_study

SPACE = ParameterSpace(
    parameters={
        "exposure": FloatParameter(low=-1, high=1, default=0, unit="EV"),
        "contrast": FloatParameter(low=0.7, high=1.3, default=1),
    }
)
# Where it does not matter what was learnt: a diagnosis after every rating is most of the work.
UNLEARNING: Mapping[str, Task] = {**TASKS, "learn": lambda parts, arguments: None}


def photo(seed: int, side: int = 48) -> bytes:
    """A small JPEG that differs from seed to seed."""
    pixels = np.random.default_rng(seed).integers(0, 255, (side, side, 3), np.uint8)
    return cv2.imencode(".jpg", cv2.GaussianBlur(pixels, (5, 5), 0))[1].tobytes()


@dataclass
class World:
    """The parts, the clock that they obey, an admin and the study that is being learnt."""

    parts: Parts
    clock: FixedClock
    admin: Actor
    study: Study

    def person(self, role: Role = "rater") -> Actor:
        """Return a new member of the project."""
        return _person(self.parts, self.admin.project_id, role)

    def add_inputs(self, count: int) -> list[Input]:
        """Add distinct photos to the study."""
        return [self.add_input(seed) for seed in range(count)]

    def add_input(self, seed: int) -> Input:
        """Add one photo to the study."""
        image = CleanImage(photo(seed), "image/jpeg", 48, 48)
        incoming = intake.store_image(self.parts, self.study, f"photo {seed}", image)
        with self.parts.store.begin() as tx:
            return intake.present_or_added(tx, self.parts, self.study, incoming)

    def work(self, tasks: Mapping[str, Task] = TASKS) -> None:
        """Do all jobs that are due, as a worker would."""
        worker = Worker(self.parts, tasks)
        while worker.step():
            pass

    def hold(self, rater: Actor, wanted: int = 4, tab: str = "tab", tasks: Mapping[str, Task] = TASKS) -> training.Turn:
        """Return what a rater holds after the worker has caught up."""
        training.next_items(self.parts, rater, tab, wanted)
        self.work(tasks)
        return training.next_items(self.parts, rater, tab, wanted)

    def rate(self, rater: Actor, *answers: Answer) -> list[str]:
        """Send answers and return their verdicts."""
        rulings, _ = training.rate(self.parts, rater, answers)
        return [ruling.verdict for ruling in rulings]


def answer(option_id: str, score: float | None = 4, **more: object) -> Answer:
    """An answer under a fresh id."""
    return Answer(**{"id": new_id(), "option_id": option_id, "score": score, **more})  # type: ignore[arg-type]


def make_parts(store: SqlStore, clock: FixedClock, folder: Path) -> Parts:
    """Build a product around a store, with nothing in it."""
    return Parts(
        store=store,
        objects=Folder(folder / "objects"),
        published=Folder(folder / "prompts"),
        generators={"local": AtOnce(LocalGenerator())},
        optimizer=NearOptimizer(),
        cleaner=Cleaner(),
        clock=clock,
        passwords=Argon2(),
        scanner=SCANNER,
        degrader=AtOnce(DegradedCopies()),
    )


def make_world(store: SqlStore, clock: FixedClock, folder: Path, inputs: int = 6, **draft: object) -> World:
    """Build a product around a store with a study of so many inputs."""
    parts = make_parts(store, clock, folder)
    project = Project(new_id(), "Palate", clock.now())
    with store.begin() as tx:
        tx.projects.add(project)
    shutil.copytree("prompts", folder / "prompts", dirs_exist_ok=True)
    adoption.adopt(parts, project.id)
    admin = _person(parts, project.id, "admin")
    fields = {"name": "Photos", "spaces": {"local": SPACE}, "uploads": True, **draft}
    study = make_study(parts, admin, StudyDraft(**fields))  # type: ignore[arg-type]
    world = World(parts, clock, admin, study)
    world.add_inputs(inputs)
    return world


def _person(parts: Parts, project_id: str, role: Role) -> Actor:
    now = parts.clock.now()
    user = User(new_id(), f"{new_id()}@example.org", now)
    with parts.store.begin() as tx:
        tx.users.add(user)
        tx.memberships.add(Membership(new_id(), project_id, user.id, role, now))
    return Actor(user.id, user.email, project_id, role)
