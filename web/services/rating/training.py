"""What raters do: hold experiments, answer their options, undo."""

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256

from ml_service.errors import Forbidden
from web.domain.access import Actor
from web.domain.day import midnight
from web.domain.jobs import jobs_after_rating, plan_job, plan_key
from web.domain.rating.gold import Gold
from web.domain.rating.lease import LEASE_TIME, RENEW_AFTER, Asker, HeldOption, Lease, LeaseState, Seat, Shown
from web.domain.rating.rating import Answer, Rating, Tally, Verdict
from web.domain.studies.study import Study
from web.ports.parts import Books
from web.rows.jobs import JobRows
from web.rows.transaction import Transaction
from web.services.accounts import rights
from web.services.rating import checks, mixing
from web.services.rating.mixing import Offer
from web.services.rating.target import Progress, counted, progress
from web.services.studies.experiments import study_to_rate


@dataclass(frozen=True)
class Held:
    """An experiment in a rater's hands, with the options still to be answered in the order to show them."""

    lease: Lease
    options: tuple[Shown, ...]


@dataclass(frozen=True)
class Turn:
    """What a rater may rate now, or nothing and the study's state that explains it.

    `held_up` tells that what chooses the next options is away; it is asked again until it is back. `seat` is the
    rater's place in the study: one who is paused gets nothing.
    """

    study: Study | None
    held: tuple[Held, ...]
    progress: Progress
    in_the_making: bool = False
    held_up: bool = False
    seat: Seat = field(default_factory=Seat)

    @property
    def has_something(self) -> bool:
        """Tell whether there is something to do: a photo to rate, or consent to give before there is one."""
        return bool(self.held) or (
            self.study is not None and not self.seat.is_paused and not self.seat.consents_to(self.study.guide)
        )


@dataclass(frozen=True)
class Ruling:
    """What became of one answer; `right` is told of calibration items: from which score to which is right."""

    id: str
    verdict: Verdict
    detail: str = ""
    right: tuple[int, int] | None = None


def next_items(parts: Books, rater: Actor, tab: str, wanted: int, study_id: str | None = None) -> Turn:
    """Return what a rater's tab holds, topped up to the wanted number; asking twice changes nothing.

    Of several studies, those that have nothing for this rater are passed over.
    """
    with parts.store.read() as tx:
        offers = mixing.offers(tx, rater, study_id, tab, parts.clock.now())
    first: Turn | None = None
    for offer in offers:
        turn = _turn_in(parts, offer, rater, tab, wanted)
        if turn.has_something:
            return turn
        first = first or turn
    return first or Turn(None, (), Progress(0, 0, 0))


def _turn_in(parts: Books, offer: Offer, rater: Actor, tab: str, wanted: int) -> Turn:
    now, study = parts.clock.now(), offer.study
    with parts.store.read() as tx:
        seat = tx.of_people.seat(study.id, rater.user_id)
        if not seat.may_rate(study.guide):
            return Turn(study, (), progress(tx, rater, study, midnight(now, seat.zone)), seat=seat)
        held = tx.of_leases.held(study.id, rater.user_id, tab, now, wanted)
        enough = len(held) >= offer.of(wanted, len(held)) or study.state != "running"
        if enough and all(lease.idle(now) < RENEW_AFTER for lease in held):
            return _turn(tx, study, rater, held, now, seat)
    return _top_up(parts, offer, rater, tab, wanted)


def _top_up(parts: Books, offer: Offer, rater: Actor, tab: str, wanted: int) -> Turn:
    now, study = parts.clock.now(), offer.study
    with parts.store.begin() as tx:
        tx.of_people.lock(rater.user_id)
        seat = tx.of_people.seat(study.id, rater.user_id)
        welcome = seat.may_rate(study.guide)  # they may have been paused a moment ago
        held = tx.of_leases.held(study.id, rater.user_id, tab, now, wanted) if welcome else ()
        idle = [lease.id for lease in held if lease.token != tab or lease.idle(now) >= RENEW_AFTER]
        tx.of_leases.renew(idle, tab, now + LEASE_TIME)
        missing = offer.of(wanted, len(held)) - len(held) if welcome and study.state == "running" else 0
        fresh: tuple[Lease, ...] = ()
        if missing > 0:
            asker = Asker(study.id, rater.user_id, study.raters_wanted, now, seat.unsafe_ok)
            fresh = checks.give(tx, study, seat, asker, tab, missing)
            tx.of_jobs.add_once([plan_job(study.id, now)])
        return _turn(tx, study, rater, (*held, *fresh), now, seat)


def _turn(tx: Transaction, study: Study, rater: Actor, leases: Sequence[Lease], now: datetime, seat: Seat) -> Turn:
    options: dict[str, list[Shown]] = defaultdict(list)
    for shown in tx.of_leases.shown(rater.user_id, [lease.experiment_id for lease in leases]):
        options[shown.experiment_id].append(shown)
    held = tuple(Held(lease, shuffled(lease, options[lease.experiment_id])) for lease in leases)
    to_answer = tuple(item for item in held if item.options)
    making = not to_answer and tx.of_turns.count_sources(study.id, 1) > 0
    today = progress(tx, rater, study, midnight(now, seat.zone))
    return Turn(study, to_answer, today, making, making and bool(away(tx, study.id)), seat)


def away(tx: JobRows, study_id: str) -> str:
    """Say which part is away that a study's queue waits for, or ""."""
    planning = tx.jobs.all(key=plan_key(study_id), state=("waiting", "claimed"))
    return next((job.away for job in planning if job.away), "")


def shuffled(lease: Lease, options: Sequence[Shown]) -> tuple[Shown, ...]:
    """Return options in the order this rater sees them: random, and the same at every look."""
    return tuple(sorted(options, key=lambda option: sha256(f"{lease.rater_id} {option.option_id}".encode()).digest()))


def rate(parts: Books, rater: Actor, answers: Sequence[Answer]) -> tuple[tuple[Ruling, ...], Progress]:
    """Record answers under the ids their sender gave them: sent twice, stored once; one verdict each, in order."""
    now = parts.clock.now()
    with parts.store.begin() as tx:
        zone = tx.of_people.lock(rater.user_id)
        held = _held(tx, rater, {answer.option_id for answer in answers})
        buried = tx.of_ratings.buried(rater.user_id, [answer.id for answer in answers])
        refused = {answer.id: fault for answer in answers if (fault := _fault(answer, held))}
        new: dict[str, Rating] = {}
        for answer in answers:
            if answer.id not in refused:
                new.setdefault(answer.id, _rating(answer, held[answer.option_id], rater, now))
        added = tx.of_ratings.add_once(
            [rating if id not in buried else replace(rating, undone_at=buried[id]) for id, rating in new.items()]
        )
        known = tx.of_ratings.by_id(new.keys() - added) if new.keys() - added else {}
        rulings = [
            refused.get(a.id) or _outcome(a, new[a.id], added, known, rater, undone=a.id in buried) for a in answers
        ]
        right = checks.right_answers(tx, [item.experiment for item in held.values()])
        rulings = [_told(ruling, new, right) for ruling in rulings]
        _settle(tx, rater, {new[id].experiment_id: held[new[id].option_id] for id in added}, now)
        mine = next((item for item in held.values() if item.state is not None), None)
        since = midnight(now, zone)
        if mine is None:
            return _once_each(rulings), progress(tx, rater, study_to_rate(tx, rater), since)
        return _once_each(rulings), counted(tx, rater, mine.option.study_id, mine.daily_target, since)


def _held(tx: Transaction, rater: Actor, option_ids: Set[str]) -> dict[str, HeldOption]:
    """Return what answers are about, also of other projects of the rater: they may have gone on in this one since."""
    found = tx.of_leases.of_options(rater.user_id, option_ids)
    mine = {one for one in {item.project_id for item in found.values()} if rights.belongs(tx, rater, one)}
    return {key: item for key, item in found.items() if item.project_id in mine}


def _fault(answer: Answer, held: dict[str, HeldOption]) -> Ruling | None:
    item = held.get(answer.option_id)
    if item is None or item.state is None:
        return Ruling(answer.id, "never_leased", "This image was never given to you to rate.")
    if item.option.state != "ready":
        return Ruling(answer.id, "invalid", "This image has not been made yet.")
    return None


def _rating(answer: Answer, item: HeldOption, rater: Actor, now: datetime) -> Rating:
    return Rating.of(answer, item.option, rater.user_id, now, late=item.is_late(now))


def _outcome(
    answer: Answer, new: Rating, added: frozenset[str], known: dict[str, Rating], rater: Actor, *, undone: bool
) -> Ruling:
    before = known.get(answer.id)
    if answer.id not in added and before is None:
        return Ruling(answer.id, "conflict", "You have rated this image already; undo that rating to change it.")
    kept = before or new
    if kept.judge_id != rater.user_id or kept.fingerprint != answer.fingerprint:
        return Ruling(answer.id, "conflict", "Another rating has this id; send a fresh one.")
    if undone or (before is not None and before.undone_at is not None):
        return Ruling(answer.id, "undone")
    if before is not None:
        return Ruling(answer.id, "replayed")
    return Ruling(answer.id, "late" if new.late else "stored")


def _told(ruling: Ruling, new: dict[str, Rating], right: dict[str, Gold]) -> Ruling:
    """Add what is right to the answer of a calibration item that is in."""
    gold = right.get(new[ruling.id].experiment_id) if ruling.verdict in ("stored", "late", "replayed") else None
    return replace(ruling, right=(gold.low, gold.high)) if gold else ruling


def _once_each(rulings: Sequence[Ruling]) -> tuple[Ruling, ...]:
    seen: set[str] = set()
    told = []
    for ruling in rulings:
        repeated = ruling.id in seen and ruling.verdict in ("stored", "late")
        told.append(replace(ruling, verdict="replayed") if repeated else ruling)
        seen.add(ruling.id)
    return tuple(told)


def undo(parts: Books, rater: Actor, rating_id: str) -> Progress:
    """Take an answer back for good, even one that has not arrived yet; its option is the rater's to answer again."""
    now = parts.clock.now()
    with parts.store.begin() as tx:
        zone = tx.of_people.lock(rater.user_id)
        known = tx.of_ratings.by_id([rating_id]).get(rating_id)
        if known is not None and known.judge_id != rater.user_id:
            raise Forbidden("Only the rater who gave a rating can undo it.")
        if known is not None and not rights.belongs(tx, rater, tx.studies.get(known.study_id).project_id):
            raise Forbidden("You are not in the project of this rating any more.")
        tx.of_ratings.bury(rating_id, rater.user_id, now)
        undone = tx.of_ratings.undo(rating_id, rater.user_id, now)
        if undone is not None:
            _reopen(tx, undone, rater, now)
        study = tx.studies.get(undone.study_id) if undone else study_to_rate(tx, rater)
        return progress(tx, rater, study, midnight(now, zone))


def _reopen(tx: Transaction, undone: Rating, rater: Actor, now: datetime) -> None:
    experiment = tx.of_experiments.lock([undone.experiment_id])[undone.experiment_id]
    lease = tx.leases.find(experiment_id=experiment.id, rater_id=rater.user_id)
    if lease is not None:
        tx.of_leases.take([Lease.start(experiment, rater.user_id, lease.token, now)])
    wanted = tx.studies.get(experiment.study_id).raters_wanted
    pair = tx.ab_pairs.find(experiment_id=experiment.id) if experiment.kind == "ab" else None
    is_final = pair is not None and pair.state != "open"
    if experiment.state == "closed" and not (
        is_final or checks.is_complete(experiment, tx.of_ratings.tally([experiment.id]), wanted)
    ):
        tx.of_experiments.move([experiment.id], "ready", now)
    tx.of_jobs.add_once(jobs_after_rating(undone.study_id, now))


def _settle(tx: Transaction, rater: Actor, answered: Mapping[str, HeldOption], now: datetime) -> None:
    """Close what has all its ratings, end the leases of what this rater has answered, and ask for learning.

    `answered` has an option of each experiment that was answered.
    """
    if not answered:
        return
    tallies: dict[str, list[Tally]] = defaultdict(list)
    for tally in tx.of_ratings.tally(answered):
        tallies[tally.experiment_id].append(tally)
    states: dict[str, LeaseState] = {}
    closed, worn = [], []
    for item in answered.values():
        experiment, options = item.experiment, tallies[item.experiment.id]
        if all(option.answered_by(rater.user_id) for option in options):
            rated = all(rater.user_id in option.rated_by for option in options)
            states[experiment.id] = "done" if rated else "released"
        if experiment.state == "ready" and checks.is_complete(experiment, options, item.raters_wanted):
            closed.append(experiment.id)
        if experiment.state == "ready" and checks.is_worn(experiment, options):
            worn.append(experiment.id)
    tx.of_leases.move(rater.user_id, states)
    tx.of_experiments.move(closed, "closed", now)
    if worn:
        checks.retire(tx, tx.golds.all(experiment_id=tuple(worn)), now)
    rated_in = dict.fromkeys(item.option.study_id for item in answered.values())
    tx.of_jobs.add_once([job for study_id in rated_in for job in jobs_after_rating(study_id, now)])
