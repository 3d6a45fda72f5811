"""Which published prompts are worth a look: those that were moved, whose files changed, or whose hour has come.

What is kept is a cache of what this process last saw to be right, so a fresh process looks at every prompt once. Of a
prompt that is right a tick asks the database nothing: what was moved stands at the end of the audit chain.
"""

from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from web.domain.prompts.prompt import DEFAULT_KEY
from web.ports.parts import Parts
from web.services.prompts.promotion import MOVES
from web.services.prompts.versions import folder_of

EVERY = timedelta(hours=1)
MOST_DUE = 100  # prompts that a tick looks at because their hour has come
MOST_LISTED = 400  # folders that a tick lists, in turn; that of the default prompt is listed by each
CHANGES = (*MOVES, "prompt.withdrawn")
ARRIVALS = ("study.imported", "project.imported")


@dataclass(frozen=True)
class Suspects:
    """Prompts to look at; `whole` asks for a look at what belongs to no prompt, too."""

    keys: tuple[str, ...]
    whole: bool


class Watch:
    """What this process last saw of each prompt's files when they were right, and of each project's audit chain."""

    def __init__(self) -> None:
        self.right: dict[str, int] = {}
        self.read: dict[str, int] = {}
        self.marks: dict[str, int] = {}
        self.turns: deque[str] = deque()
        self.due: deque[str] = deque()
        self.began: datetime | None = None

    def suspects(self, parts: Parts) -> Suspects:
        """Return the prompts that are worth a look; tell `settled` which of them were right.

        Those that it is never told of, because the look failed, come again.
        """
        self._read_on(parts)
        now = parts.clock.now()
        whole = self.began is None or not timedelta(0) <= now - self.began < EVERY
        if whole:
            self._begin(parts, now)
        keys = {*islice(self.due, MOST_DUE)}
        self.marks = {key: _mark(parts, key) for key in keys | {DEFAULT_KEY, *self._listed()}}
        keys |= {key for key, mark in self.marks.items() if self.right.get(key, mark) != mark}
        return Suspects(tuple(sorted(keys)), whole)

    def settled(self, looked_at: Collection[str], right: frozenset[str]) -> None:
        """Remember the prompts that were right as they lay there; the others are looked at again by the next tick."""
        while self.due and self.due[0] in looked_at:
            self.due.popleft()
        for key in looked_at:
            if key in right:
                self.right[key] = self.marks[key]
            else:
                self.right.pop(key, None)
                self.due.append(key)

    def _read_on(self, parts: Parts) -> None:
        """Let the prompts that were moved since the last look be first; where any may have been, a new round begins."""
        changed: list[str] = []
        now_read = {}
        is_known = True
        with parts.store.read() as tx:
            for project in tx.projects.all():
                last = tx.of_audit.last(project.id)
                newest, read = last.number if last else 0, self.read.get(project.id)
                is_known = is_known and read is not None and read <= newest
                if read is not None and read < newest:
                    events = tx.of_audit.since(project.id, read, (*CHANGES, *ARRIVALS))
                    is_known = is_known and not any(event.action in ARRIVALS for event in events)
                    changed += [event.details["prompt"] for event in events if event.action in CHANGES]
                now_read[project.id] = newest
        if changed:
            self.due = deque(dict.fromkeys((*changed, *self.due)))
        if not is_known:
            self.began = None
        self.read = now_read

    def _begin(self, parts: Parts, now: datetime) -> None:
        with parts.store.read() as tx:
            keys = dict.fromkeys(prompt.key for prompt in tx.prompts.all())
        first = [key for key in self.due if key in keys]
        self.began, self.turns, self.due = now, deque(keys), deque(dict.fromkeys((*first, *keys)))

    def _listed(self) -> Iterable[str]:
        taken = tuple(islice(self.turns, MOST_LISTED))
        self.turns.rotate(-len(taken))
        return taken


def _mark(parts: Parts, key: str) -> int:
    """Return what changes with anything in a prompt's folder; a folder that cannot be read is never right."""
    try:
        return hash(frozenset(parts.published.tags(folder_of(key)).items()))
    except OSError:
        return 0
