"""An installation that has lived, copies of it, and what stands in its database."""

import shutil
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import select

from ml_service.objects.local import Folder
from tests.clock import FixedClock
from tests.world import World, answer, make_world
from web.adapters.database import tables
from web.adapters.database.archive.project import ProjectArchive
from web.adapters.database.archive.rows import Extent, rows_of
from web.adapters.database.archive.study import Arrival, StudyArchive
from web.adapters.database.archive.writing import Place
from web.adapters.database.store import SqlStore
from web.domain.abtests.abtest import ABTest, Decision, Design, Evidence, Pair
from web.domain.accounts import ApiKey, Password
from web.domain.evolution.evolution import Proposed, Round
from web.domain.ids import new_id
from web.domain.prompts.feedback import Feedback
from web.domain.prompts.prompt import PromptVersion
from web.domain.rating.enrolment import Enrolment
from web.domain.rating.gold import Gold
from web.domain.rating.rating import Exclusion
from web.domain.studies.assigning import Audience
from web.services.learning import learn
from web.services.operations import transfer
from web.services.prompts import promotion
from web.services.rating import training
from web.services.studies import intake, panels
from web.services.studies.assigning import assign

Run = Callable[..., tuple[int, str, str]]
Everything = dict[str, list[tuple[Any, ...]]]


def watch(keys: Iterable[str]) -> Iterable[str]:
    """See what is read or written, and say nothing."""
    return keys


@dataclass
class Installation:
    """A world with its database and its objects, and the archives over both."""

    world: World
    store: SqlStore
    objects: Folder

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self.objects.root.parent

    @property
    def place(self) -> Place:
        """What archives work on."""
        return Place(self.store, self.objects, intake.view_key)

    @property
    def study(self) -> StudyArchive:
        """The archive of its studies."""
        return StudyArchive(self.place)

    @property
    def project(self) -> ProjectArchive:
        """The archive of its project."""
        return ProjectArchive(self.place)

    def export_study(self, target: Path) -> Path:
        """Write the study of the world."""
        self.study.export(self.world.study.id, target, watch)
        return target

    def load_study(self, file: Path) -> Arrival:
        """Bring a study in."""
        parts, admin = self.world.parts, self.world.admin
        return self.study.load(file, lambda tx, study: transfer.arrived(tx, parts, admin, study), watch)

    def export_project(self, target: Path) -> Path:
        """Write the project whole."""
        self.project.export(target, watch)
        return target

    def load_project(self, file: Path) -> Arrival:
        """Bring a project in."""
        parts = self.world.parts
        lying = transfer.lying_in(parts.published)
        return self.project.load(
            file,
            lambda tx, project: transfer.check_project(tx, lying, project),
            lambda tx, project: transfer.project_arrived(tx, parts, project),
            watch,
        )

    def rows(self, study_id: str) -> dict[str, list[dict[str, Any]]]:
        """Return the rows of a study by table."""
        extent = Extent("study", study_id)
        with self.store.snapshot() as tx:
            return {table.name: list(rows_of(tx.connection, table, extent)) for table in extent.tables}


def everything(store: SqlStore) -> Everything:
    """Return every row of a database by table."""
    with store.read() as tx:
        return {
            table.name: [
                tuple(row) for row in tx.connection.execute(select(table).order_by(*table.primary_key.columns))
            ]
            for table in tables.metadata.sorted_tables
        }


def installed(store: SqlStore, folder: Path, inputs: int) -> Installation:
    """Make a world in a folder."""
    return Installation(make_world(store, FixedClock(), folder, inputs=inputs), store, Folder(folder / "objects"))


def elsewhere(like: Installation, store: SqlStore, folder: Path) -> Installation:
    """Return another place for the world of an installation, over a store, in a folder."""
    objects, published = Folder(folder / "objects"), Folder(folder / "prompts")
    parts = replace(like.world.parts, store=store, objects=objects, published=published)
    return Installation(replace(like.world, parts=parts), store, objects)


def copied(lived: Installation, folder: Path) -> Installation:
    """Return a copy of an installation on SQLite, which a test may change; its store is to be closed."""
    shutil.copytree(lived.folder, folder)
    return elsewhere(lived, SqlStore.open(f"sqlite:///{folder / 'palate.db'}"), folder)


def members(file: Path) -> dict[str, bytes]:
    """Return what is in a zip by name."""
    with zipfile.ZipFile(file) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def live(world: World) -> None:
    """Let raters, an admin and production be at work."""
    parts, now = world.parts, world.clock.now()
    one, two, three = world.person(), world.person(), world.person()
    first, second, third = (held.options[0].option_id for held in world.hold(one).held[:3])
    sent = answer(first, 5, comment="schön\n“so”", tags=("too_dark",))
    assert world.rate(one, sent, answer(second, None, skip="broken"), answer(third, 2)) == ["stored"] * 3
    for _ in range(2):
        shown = [option for held in world.hold(three).held for option in held.options]
        world.rate(three, *(answer(option.option_id, 1 + number % 5) for number, option in enumerate(shown)))
    training.undo(parts, one, sent.id)
    world.hold(two)
    world.work()
    learn.learn(parts, world.study.id)
    version = _promoted(world)
    with parts.store.begin() as tx:
        tx.exclusions.add(Exclusion(new_id(), world.study.id, two.user_id, now, "clicks blindly", now))
        tx.enrolments.add(
            Enrolment(new_id(), world.study.id, two.user_id, now, paused_at=now, paused_by=world.admin.user_id)
        )
        asked = tx.experiments.all(study_id=world.study.id)[0]
        tx.golds.add(Gold(new_id(), asked.id, world.study.id, 2, 3, "agreement", now, retired_at=now))
        removed = tx.inputs.all(study_id=world.study.id)[-1]
        tx.passwords.add(Password(one.user_id, parts.passwords.hash("a long word for a test"), now))
        project, owner = world.study.project_id, world.admin.user_id
        key = tx.keys.add(ApiKey(new_id(), "5" * 64, project, owner, "shop", "production", ("prompts:read",), now))
        heard = Feedback(new_id(), project, version.prompt_key, version.id, key.id, "f" * 64, now, now, 4.5, "süß")
        tx.feedback.add(heard)
    experts = panels.make_panel(parts, world.admin, "Experts")
    panels.join_panel(parts, world.admin, experts.id, two.user_id)
    assign(parts, world.admin, world.study.id, Audience("panel", experts.id), share=3)
    _tested(world, version, two.user_id)
    intake.take_down(parts, world.admin, removed.id)


def _tested(world: World, version: PromptVersion, rater: str) -> None:
    """Leave a test that was decided, with a pair of it, after a round that proposed nothing else."""
    now, study = world.clock.now(), world.study
    found = Evidence(version.id, 1, 2.0, -1.0, 3.0, 1.4, 0.6, {"noisy": 0.8})
    test = ABTest(
        id=new_id(),
        project_id=study.project_id,
        study_id=study.id,
        prompt_key=version.prompt_key,
        kind="challenge",
        state="decided",
        champion=version.id,
        challengers=(version.id,),
        design=Design(),
        policy="auto",
        created_at=now,
        hypothesis="wärmer",
        opened_by=rater,
        decision=Decision("cap", None, (found,)),
        decided_at=now,
        settled_at=now,
    )
    tried = Proposed("targeted", version.id, "warmer light", "more of it", "length", "It is too long.")
    with world.parts.store.begin() as tx:
        tx.ab_tests.add(test)
        asked = tx.experiments.all(study_id=study.id)[0]
        tags, stars = {"noisy": -1.0}, {rater: 2.0}
        tx.ab_pairs.add(
            Pair(new_id(), test.id, asked.id, asked.input_id, version.id, "closed", now, 1, 2.0, tags, 0, stars, now)
        )
        tx.rounds.add(
            Round(
                id=new_id(),
                project_id=study.project_id,
                study_id=study.id,
                prompt_key=version.prompt_key,
                state="proposed",
                samples=10,
                created_at=now,
                asked_by=rater,
                parents=(version.id,),
                diagnosis="zu dunkel",
                proposed=(tried,),
                model="scripted",
                test_id=test.id,
                finished_at=now,
            )
        )


def _promoted(world: World) -> PromptVersion:
    """Publish what was learnt, go back, and forth again; return what is live."""
    parts, admin = world.parts, world.admin
    done = promotion.publish_best(parts, admin, world.study.id, note="the first one")
    key = done.version.prompt_key
    back = promotion.roll_back(parts, admin, key, done.pointer.revision)
    return promotion.promote(parts, admin, key, done.version.id, back.pointer.revision).version
