"""Spread what waits over inputs that came after it was planned, so that no input has the first points to itself."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from web.domain.ids import new_id
from web.domain.jobs import make_job, make_key
from web.domain.studies.experiment import Experiment, Option
from web.domain.studies.spreading import Move, Waiting, moves
from web.ports.parts import Books
from web.rows.transaction import Transaction
from web.services.studies.experiments import drop_unheld


def spread(parts: Books, study_id: str) -> None:
    """Try points that nobody was shown yet, and that have cost nothing, on inputs that came later, by fair shares."""
    with parts.store.read() as tx:
        found = _moves(tx, study_id)
    if not found:
        return
    with parts.store.begin() as tx:
        if tx.of_studies.hold(study_id).state == "running":
            now = parts.clock.now()
            locked = tx.of_experiments.lock(move.experiment_id for move in found)
            free = {one.experiment_id for one in _free(tx, study_id)}  # one may have been begun meanwhile
            dropped = drop_unheld(tx, locked.keys() & free, now)
            for move in found:
                if move.experiment_id in dropped:
                    _plan_again(tx, move, now)


def _moves(tx: Transaction, study_id: str) -> tuple[Move, ...]:
    unseen = _free(tx, study_id)
    if not unseen or not tx.of_studies.has_grown(study_id, min(one.experiment_id for one in unseen)):
        return ()
    waiting = {one.experiment_id: Waiting(one.experiment_id, one.input_id) for one in unseen}
    sources = tx.of_experiments.next_inputs(study_id, len(waiting), besides=waiting)
    found = moves(tuple(waiting.values()), [source.id for source in sources])
    return _apart(tx, found, unseen)


def _free(tx: Transaction, study_id: str) -> list[Option]:
    """Return the options of experiments that can be moved for nothing: none was paid for or is being made."""
    options = tx.of_experiments.unseen(study_id)
    making = {job.key for job in tx.jobs.all(key=tuple(make_key(one.id) for one in options), state="claimed")}
    fixed = {
        one.experiment_id
        for one in options
        if one.cost_micros or one.state == "generating" or make_key(one.id) in making
    }
    return [one for one in options if one.experiment_id not in fixed]


def _apart(tx: Transaction, found: Sequence[Move], options: Iterable[Option]) -> tuple[Move, ...]:
    """Leave out what would try a point twice on one input."""
    points = defaultdict(list)
    for one in options:
        points[one.experiment_id].append((one.generator, one.point))
    tried = defaultdict(list)
    for one in tx.options.all(input_id=tuple({move.input_id for move in found})):
        tried[one.input_id].append((one.generator, one.point))
    return tuple(
        move for move in found if not any(point in tried[move.input_id] for point in points[move.experiment_id])
    )


def _plan_again(tx: Transaction, move: Move, now: datetime) -> None:
    before = tx.experiments.get(move.experiment_id)
    again = Experiment(new_id(), before.study_id, move.input_id, before.kind, "planned", now, now)
    options = [
        replace(
            option,
            id=new_id(),
            experiment_id=again.id,
            input_id=move.input_id,
            state="spare" if option.state == "spare" else "planned",
            output_id=None,
            error=None,
            revision=0,
        )
        for option in tx.options.all(experiment_id=before.id)
    ]
    tx.experiments.add(again)
    tx.options.add_all(options)
    tx.of_jobs.add_once(make_job(one.id, one.generator, one.study_id, now) for one in options)
