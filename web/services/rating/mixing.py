"""From which of their studies a rater's next photos come: the one asked for or chosen, else all by their shares."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile

from ml_service.errors import NotFound
from web.domain.access import Actor
from web.domain.rating.lease import Asker
from web.domain.studies.assigning import Mine, furthest_behind
from web.domain.studies.study import Study
from web.ports.parts import Books
from web.rows.transaction import Transaction
from web.services.studies.experiments import studies_to_rate, study_to_rate

BATCH = 8  # experiments of one study in a row: who compares needs one measure for a while
LATELY = 200  # leases that shares are kept over: a study that had nothing for long is not made up for without end


@dataclass(frozen=True)
class Offer:
    """A study that photos may come from, and how many more experiments of it a tab may be given; None is any number."""

    study: Study
    more: int | None = None

    def of(self, wanted: int, held: int) -> int:
        """Return how many of those that are wanted a tab may hold that holds so many now."""
        return wanted if self.more is None else min(wanted, held + self.more)


@dataclass(frozen=True)
class Choice:
    """A study that a rater may choose, and whether it has photos for them now."""

    study: Study
    waits: bool


@dataclass(frozen=True)
class Choices:
    """What a rater may choose among: `chosen` is the one that is on alone, None where all are mixed.

    `known` is the study of the next photos as far as that is known without looking for them.
    """

    studies: tuple[Choice, ...]
    chosen: Study | None
    known: Study | None

    @property
    def several(self) -> bool:
        """Tell whether there is anything to choose."""
        return len(self.studies) > 1


def offers(tx: Transaction, rater: Actor, study_id: str | None, tab: str, now: datetime) -> tuple[Offer, ...]:
    """Return the studies that a rater's photos may come from, the first to be tried first; none where none is theirs.

    Of several that are mixed, one is stayed with until its batch is rated.
    """
    mine = studies_to_rate(tx, rater, study_id)
    alone = next((one for one in mine if one.chosen), mine[0] if len(mine) == 1 else None)
    if alone is not None:
        return (Offer(alone.study),)
    if not mine:
        resting = tx.of_studies.resting(rater.project_id, rater.user_id)
        return (Offer(resting),) if resting else ()
    return _mixed(tx, rater, mine, tab, now)


def first(tx: Transaction, rater: Actor, tab: str, now: datetime) -> Study | None:
    """Return the study that the next photos of a rater's tab are of."""
    return next((offer.study for offer in offers(tx, rater, None, tab, now)), None)


def choices(parts: Books, rater: Actor, study_id: str | None) -> Choices:
    """Return the studies that a rater may choose among, and the one that is on: asked for, chosen, or all mixed."""
    now = parts.clock.now()
    with parts.store.read() as tx:
        mine = studies_to_rate(tx, rater)
        asked = None if study_id is None else study_to_rate(tx, rater, study_id)
        chosen = asked or next((one.study for one in mine if one.chosen), None)
        several = len(mine) > 1
        told = tuple(Choice(one.study, several and is_open(tx, one.study, rater, now)) for one in mine)
        only = told[0].study if len(told) == 1 else None
        return Choices(told, chosen, chosen or only or (None if told else study_to_rate(tx, rater)))


def choose(parts: Books, rater: Actor, study_id: str | None) -> None:
    """Remember which study somebody rates until they choose again; None is all of theirs, mixed by their shares."""
    with parts.store.begin() as tx:
        if study_id is not None and study_id not in {one.study.id for one in studies_to_rate(tx, rater)}:
            raise NotFound(f"There is no study {study_id} for you to rate; open Train for those that are yours.")
        tx.of_people.choose(rater.user_id, rater.project_id, study_id)


def is_open(tx: Transaction, study: Study, rater: Actor, now: datetime, tab: str = "") -> bool:
    """Tell whether a study has something for a rater now: a photo that they hold, or one that they may take."""
    seat = tx.of_people.seat(study.id, rater.user_id)
    if seat.is_paused:
        return False
    asker = Asker(study.id, rater.user_id, study.raters_wanted, now, seat.unsafe_ok)
    return bool(tx.of_leases.held(study.id, rater.user_id, tab, now, 1) or tx.of_turns.open_to(asker))


def _mixed(tx: Transaction, rater: Actor, mine: Sequence[Mine], tab: str, now: datetime) -> tuple[Offer, ...]:
    since = max(one.set_at for one in mine)
    lately = tx.of_leases.lately(rater.user_id, [one.study.id for one in mine], since, LATELY)
    ordered = [one.study for one in furthest_behind(mine, lately)]
    newest = lately[0] if lately else ""
    for study in sorted(ordered, key=lambda one: one.id != newest):  # another tab's may be newer than this one's
        if tx.of_leases.held(study.id, rater.user_id, tab, now, 1):
            return (
                Offer(study, _left_of_batch(study, lately)),
                *(Offer(one, BATCH) for one in ordered if one is not study),
            )
    filled = next((study for study in ordered if is_open(tx, study, rater, now, tab)), None)
    lined = ordered if filled is None else [filled, *(study for study in ordered if study is not filled)]
    return tuple(Offer(study, BATCH) for study in lined)


def _left_of_batch(study: Study, lately: Sequence[str]) -> int:
    in_a_row = sum(1 for _ in takewhile(lambda one: one == study.id, lately))
    return -in_a_row % BATCH
