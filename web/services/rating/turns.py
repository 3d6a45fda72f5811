"""Whose turn it is: which experiments a rater is given next, and in what order."""

from dataclasses import replace
from datetime import datetime, timedelta

from web.domain.ids import new_id
from web.domain.rating.attention import (
    APART,
    RARE,
    REPEAT_AFTER,
    Dealt,
    Lot,
    apart,
    chance,
    is_due,
    most_doubtful,
    ordered,
    reach,
)
from web.domain.rating.lease import LEASE_TIME, Asker, Lease, Seat
from web.domain.studies.experiment import Experiment
from web.domain.studies.study import Study
from web.rows.rating import RatingRows
from web.rows.transaction import Transaction

TRIES = 3  # others may take the same at the same time
ACTIVE_FOR = timedelta(minutes=15)


def about(tx: Transaction, study: Study, now: datetime) -> list[Asker]:
    """Return who rates a study now, those left out who are paused."""
    # A lease ends ten minutes after its last renewal: whoever holds one that ended lately is still about.
    raters = tx.of_people.active_raters(study.id, now - ACTIVE_FOR + LEASE_TIME)
    places = {one.rater_id: one for one in tx.enrolments.all(study_id=study.id, rater_id=raters)}
    seats = {rater: Seat(enrolment=places.get(rater)) for rater in raters}
    return [
        Asker(study.id, rater, study.raters_wanted, now, seat.unsafe_ok)
        for rater, seat in seats.items()
        if not seat.is_paused
    ]


def hand_out(tx: Transaction, study: Study, asker: Asker, tab: str, count: int) -> tuple[tuple[Lease, ...], bool]:
    """Lease a rater's tab what comes next; tell too whether a gold item was due and there was none."""
    desk = _Desk(tx, study, asker)
    taken: list[Experiment] = []
    for _ in range(TRIES):
        chosen = [one for _ in range(count - len(taken)) if (one := desk.next()) is not None]
        got = tx.of_turns.claim(asker, [one.experiment_id for one in chosen]) if chosen else {}
        taken += [got[one.experiment_id] for one in chosen if one.experiment_id in got]
        if len(got) == len(chosen):
            break
        desk.forget({one.experiment_id for one in chosen} - got.keys())
    leases = (Lease.start(experiment, asker.rater_id, tab, asker.now) for experiment in taken)
    return tx.of_leases.take(leases), desk.lacks_gold


def calibrate(tx: RatingRows, asker: Asker, tab: str, count: int) -> tuple[Lease, ...]:
    """Lease a rater's tab items whose right answer is told once they are rated."""
    found = ordered(tx.of_turns.open_to(asker, ("calibration",)), (), asker.rater_id)[:count]
    got = tx.of_turns.claim(asker, [one.experiment_id for one in found]) if found else {}
    taken = [got[one.experiment_id] for one in found if one.experiment_id in got]
    return tx.of_leases.take(Lease.start(item, asker.rater_id, tab, asker.now) for item in taken)


class _Desk:
    """Chooses what one rater is given, one experiment after the other."""

    def __init__(self, tx: Transaction, study: Study, asker: Asker) -> None:
        self.tx, self.study, self.asker = tx, study, asker
        self.given = list(tx.of_turns.given(study.id, asker.rater_id, reach(study.shares)))
        self.sources = tx.of_turns.count_sources(study.id, APART + 1)
        self.lacks_gold = False
        self._chosen: set[str] = set()
        self._found: dict[Lot | None, tuple[Dealt, ...]] = {}

    def next(self) -> Dealt | None:
        """Return what comes next and count it as given; None where nothing is open."""
        due = (lot for lot in RARE if is_due(lot, self.study.shares, self.given, self.asker.rater_id))
        one = next((one for lot in due if (one := self._rare(lot)) is not None), None) or self._sample()
        if one is not None:
            self.given.insert(0, one)
            self._chosen.add(one.experiment_id)
        return one

    def forget(self, ids: set[str]) -> None:
        """Take back what somebody else got first."""
        self.given = [one for one in self.given if one.experiment_id not in ids]

    def _rare(self, lot: Lot) -> Dealt | None:
        if lot not in self._found:
            self._found[lot] = self._look(lot)
        one = self._apart(self._found[lot])
        if one is None and lot == "repeat":
            return self._repeat()
        self.lacks_gold |= one is None and lot == "gold"
        return one

    def _look(self, lot: Lot) -> tuple[Dealt, ...]:
        if lot == "overlap":
            return most_doubtful(self.tx.of_turns.unsure(self.asker))
        found = self.tx.of_turns.open_to(self.asker, (lot,))
        return ordered(found, self.given, self.asker.rater_id)

    def _sample(self) -> Dealt | None:
        """Choose what is learnt from: A/B or explore by their shares, as far as there are both."""
        if None not in self._found:
            self._found[None] = ordered(self.tx.of_turns.open_to(self.asker), self.given, self.asker.rater_id)
        shares, last = self.study.shares, self.given[0].experiment_id if self.given else ""
        is_ab = chance(self.asker.rater_id, "ab", last) * (shares.ab + shares.explore) < shares.ab
        wanted = "ab" if is_ab else "explore"
        found = self._found[None]
        return self._apart(tuple(one for one in found if one.lot == wanted)) or self._apart(found)

    def _apart(self, found: tuple[Dealt, ...]) -> Dealt | None:
        return apart([one for one in found if one.experiment_id not in self._chosen], self.given, self.sources)

    def _repeat(self) -> Dealt | None:
        """Make an experiment of an output that the rater rated long ago, for them alone."""
        rated = self.tx.of_turns.repeatable(self.asker, REPEAT_AFTER)
        places = ordered([Dealt(one.id, "repeat", one.input_id) for one in rated], self.given, self.asker.rater_id)
        place = apart(places, self.given, self.sources)
        if place is None or not self.tx.of_studies.hold_inputs(self.study.id, place.input_id):
            return None
        now, rater = self.asker.now, self.asker.rater_id
        again = Experiment(new_id(), self.study.id, place.input_id, "repeat", "ready", now, now, held_for=rater)
        option = next(one for one in rated if one.id == place.experiment_id)
        self.tx.experiments.add(again)
        self.tx.options.add(replace(option, id=new_id(), experiment_id=again.id, position=0, cost_micros=0, revision=0))
        return Dealt(again.id, "repeat", again.input_id)
