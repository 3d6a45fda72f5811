"""Palate itself at the restoration game: its database, object store, generator, optimizer, queue and rating service."""

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.game import CHECKPOINTS, NUMBERS, OPTIONS, RATERS, UPLOADS, Game
from ml_service.errors import Unavailable
from ml_service.objects.local import Folder
from ml_service.wire.contract import Point
from tests.scanning import SCANNER
from web.adapters.database.migrate import migrate
from web.adapters.database.store import SqlStore
from web.adapters.generators.atonce import AtOnce
from web.adapters.generators.local import LocalGenerator
from web.adapters.images.cleaner import Cleaner
from web.adapters.optimizer.near import NearOptimizer
from web.adapters.passwords import Argon2
from web.domain.access import Actor
from web.domain.ids import new_id
from web.domain.prompts.template import render
from web.domain.rating.rating import Answer
from web.domain.studies.evolving import Evolving
from web.domain.studies.study import Study
from web.jobs.tasks import TASKS, plan
from web.jobs.worker import Worker
from web.ports.making import CleanImage
from web.ports.parts import Parts
from web.services.accounts import accounts, sessions
from web.services.learning import learn
from web.services.prompts import adoption, versions
from web.services.rating import training
from web.services.studies.intake import present_or_added, store_image
from web.services.studies.studies import StudyDraft, make_study

PROMPTS = Path("prompts")
BETWEEN_UPLOADS = timedelta(minutes=20)  # so that one rater is active at a time
ROUNDS = 5  # of asking and working, after which an upload must be ready


class GameClock:
    """A clock that the game moves on."""

    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        """Return the time of the game."""
        return self.time


def shipped_prompt() -> Mapping[str, str]:
    """Return the components of the shipped live prompt for the local generator, as a fresh product renders them."""
    current = versions.load_current(Folder(PROMPTS))
    defaults = {name: variable.default for name, variable in current.variables.items()}
    return {slot: render(text, defaults) for slot, text in current.components["local"].items()}


def palate(game: Game, depth: int | None) -> dict[int, Point]:
    """Rate five options an upload through the product, and return what it recommends after so many ratings.

    With a depth, the queue is that many experiments deep; None leaves it as deep as the product makes it.
    """
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/palate.db"
        migrate(url)
        store = SqlStore.open(url)
        try:
            return _House(game, store, Path(folder), depth).play()
        finally:
            store.close()


class _House:
    """A product with one study: an input for every upload of the game, and its raters."""

    def __init__(self, game: Game, store: SqlStore, folder: Path, depth: int | None) -> None:
        self.game, self.clock = game, GameClock()
        self.parts = Parts(
            store=store,
            objects=Folder(folder / "objects"),
            published=Folder(folder / "prompts"),
            generators={"local": AtOnce(LocalGenerator())},
            optimizer=NearOptimizer(),
            cleaner=Cleaner(),
            clock=self.clock,
            passwords=Argon2(),
            scanner=SCANNER,
        )
        shutil.copytree(PROMPTS, folder / "prompts")
        accounts.bootstrap(self.parts, ())
        operator = accounts.operator(self.parts)
        adoption.adopt(self.parts, operator.project_id)
        self.study = self._study(operator)
        self.shots = self._inputs()
        self.actors = [self._join(operator, rater.name) for rater in game.raters]
        # What is learnt is asked for at the checkpoints: nothing else depends on it, and it takes most of the time.
        # Raters are not calibrated, for the game has raters of its own.
        played = {
            "make": TASKS["make"],
            "plan_upload": TASKS["plan_upload"],
            "plan": lambda parts, arguments: plan(parts, arguments["study"], depth),
            "learn": lambda *_: None,
            "check": lambda *_: None,
        }
        self.worker = Worker(self.parts, played)

    def _study(self, operator: Actor) -> Study:
        draft = StudyDraft("Restoration", {"local": NUMBERS}, options_per_experiment=OPTIONS)
        study = make_study(self.parts, operator, draft)
        with self.parts.store.begin() as tx:
            # Each rating of the game is of an option that the optimizer chose: none checks raters or versions.
            shares = replace(study.shares, gold=0, repeat=0, overlap=0)
            alone = replace(study, seed=self.game.seed, shares=shares, evolving=Evolving(every=None))
            return tx.studies.replace(alone)

    def _inputs(self) -> dict[str, int]:
        """Add the photos to be rated and return their places in the game by the input's id."""
        places = {}
        for place, shot in enumerate(self.game.rated):
            height, width = shot.spoilt.shape[:2]
            image = CleanImage(shot.body, "image/jpeg", width, height)
            incoming = store_image(self.parts, self.study, f"photo {place}", image)
            with self.parts.store.begin() as tx:
                places[present_or_added(tx, self.parts, self.study, incoming).id] = place
        return places

    def _join(self, operator: Actor, name: str) -> Actor:
        store = self.parts.store
        secret = accounts.invite(self.parts, operator, "rater", f"{name}@example.org")
        session = sessions.digest(accounts.use_link(self.parts, secret))
        with store.read() as tx:
            actor = tx.of_people.actor(session, self.clock.now())
        if actor is None:
            raise Unavailable(f"{name} could not sign in to the game.")
        return actor

    def play(self) -> dict[int, Point]:
        """Rate every upload and return the recommended points by the number of ratings."""
        bests = {}
        for upload in range(UPLOADS):
            self._rate(upload, self._hold(self.actors[upload % RATERS]))
            self.clock.time += BETWEEN_UPLOADS
            if (upload + 1) * OPTIONS in CHECKPOINTS:
                best = learn.learn(self.parts, self.study.id).diagnosis.best
                bests[(upload + 1) * OPTIONS] = best.point if best else NUMBERS.default()
        return bests

    def _hold(self, rater: Actor) -> training.Held:
        for _ in range(ROUNDS):
            turn = training.next_items(self.parts, rater, "tab", 1, self.study.id)
            if turn.held:
                return turn.held[0]
            while self.worker.step():
                pass
        raise Unavailable("The product made nothing to rate; look at the worker's log for why.")

    def _rate(self, upload: int, held: training.Held) -> None:
        answers = [Answer(new_id(), shown.option_id, self._score(upload, shown.option_id)) for shown in held.options]
        training.rate(self.parts, self.actors[upload % RATERS], answers)
        while self.worker.step():
            pass

    def _score(self, upload: int, option_id: str) -> float:
        with self.parts.store.read() as tx:
            option = tx.options.get(option_id)
            output = tx.outputs.get(option.output_id or "")
        shot = self.game.rated[self.shots[option.input_id]]
        return self.game.score(upload, self.parts.objects.read(output.object_key), shot)
