"""Processes that publish and are killed: at a step of their own choosing, or whenever it pleases the test."""

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, BinaryIO

from ml_service.errors import Conflict
from ml_service.objects.local import Folder
from tests.publishing.press import candidate, live, make_parts, operator
from web.adapters.database.store import SqlStore
from web.domain.access import Actor
from web.domain.prompts.prompt import DEFAULT_KEY
from web.ports.parts import Parts
from web.services.prompts.promotion import Promotion, promote, roll_back, withdraw
from web.services.prompts.publication import reconcile

ACTS = ("promote", "roll back", "withdraw")


class Interrupted(Folder):
    """A folder at whose n-th change something happens instead of it, or right after it."""

    def __init__(self, root: Path, change: int, happens: Callable[[], Any], *, after: bool = False) -> None:
        super().__init__(root)
        self.left, self.happens, self.after = change, happens, after

    def create(self, name: str, body: bytes | BinaryIO) -> bool:
        return bool(self._at(lambda: super(Interrupted, self).create(name, body)))

    def replace(self, name: str, body: bytes, expected: str) -> str:
        return str(self._at(lambda: super(Interrupted, self).replace(name, body, expected)))

    def delete(self, name: str) -> None:
        self._at(lambda: super(Interrupted, self).delete(name))

    def _at(self, change: Callable[[], Any]) -> Any:
        self.left -= 1
        if self.left == 0 and not self.after:
            self.happens()
        done = change()
        if self.left == 0 and self.after:
            self.happens()
        return done


def act(parts: Parts, actor: Actor, what: str, version_id: str, revision: int | None = None) -> object:
    """Do one thing that changes files; the version is a candidate, or one that is not live any more."""
    revision = live(parts)[0].revision if revision is None else revision
    if what == "promote":
        return promote(parts, actor, DEFAULT_KEY, version_id, revision)
    if what == "roll back":
        return roll_back(parts, actor, DEFAULT_KEY, revision)
    return withdraw(parts, actor, version_id)


def die(url: str, folder: Path, what: str, version_id: str, change: int, after: bool) -> None:
    """Do one thing in a process that kills itself at a change of a file."""
    store = SqlStore.open(url)
    files = Interrupted(folder, change, lambda: os.kill(os.getpid(), signal.SIGKILL), after=after)
    act(make_parts(store, files), operator(store), what, version_id)


def keep_promoting(url: str, folder: Path, acknowledged: Path, seed: int, change: int, after: bool) -> None:
    """Promote and roll back until killed, by itself at a change of a file; write down when each was acknowledged."""
    store = SqlStore.open(url)
    files = Interrupted(folder, change, lambda: os.kill(os.getpid(), signal.SIGKILL), after=after)
    parts, actor, chance = make_parts(store, files), operator(store), random.Random(seed)
    reconcile(parts)
    with acknowledged.open("ab", buffering=0) as log:
        while True:
            try:
                done = _some_promotion(parts, actor, chance)
            except Conflict:  # the other one was first
                continue
            log.write(f"{time.time()} {done.pointer.revision} {done.version.name}\n".encode())


def _some_promotion(parts: Parts, actor: Actor, chance: random.Random) -> Promotion:
    pointer, version = live(parts)
    with parts.store.read() as tx:
        lines = tx.of_prompts.lines(DEFAULT_KEY)
    others = [line.id for line in lines if line.status == "released" and line.id != version.id]
    if not others or chance.random() < 0.25:
        return promote(parts, actor, DEFAULT_KEY, candidate(parts).id, pointer.revision)
    if chance.random() < 0.4:
        return roll_back(parts, actor, DEFAULT_KEY, pointer.revision)
    return promote(parts, actor, DEFAULT_KEY, chance.choice(others), pointer.revision)


def processes() -> ForkServerContext:
    """Return what starts processes fast: each is forked from one that has imported all it needs."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def started(target: Callable[..., None], *arguments: object) -> BaseProcess:
    """Start a process."""
    process = processes().Process(target=target, args=arguments, daemon=True)
    process.start()
    return process
