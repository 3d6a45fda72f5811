"""Quality control of raters: the items whose right answer is known, made by themselves, and who does not count."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from ml_service.errors import InvalidRequest, NotFound
from web.domain.access import Actor
from web.domain.ids import new_id
from web.domain.jobs import jobs_after_rating, make_job
from web.domain.prompts.prompt import PromptVersion
from web.domain.rating.attention import chance
from web.domain.rating.enrolment import Enrolment
from web.domain.rating.gold import (
    BETTER,
    DEGRADED,
    DOUBTED_AFTER,
    FAULTS,
    LIKED,
    SPOILT,
    UNTOUCHED,
    Gold,
    GoldSource,
)
from web.domain.rating.lease import Asker, Seat
from web.domain.rating.rating import Exclusion
from web.domain.studies.experiment import Experiment, ExperimentKind, Option
from web.domain.studies.study import Input, Study
from web.ports.parts import Parts
from web.rows.rating import RatingRows
from web.rows.studies import StudyRows
from web.rows.transaction import Transaction
from web.services.accounts import rights
from web.services.audit.record import record
from web.services.prompts import pointers
from web.services.rating import turns
from web.services.rating.checks import retire

AHEAD = 2  # gold items that each rater who is about has not met yet
MOST_AT_ONCE = 20
REASON_LIMIT = 300


def check(parts: Parts, study_id: str) -> None:
    """Retire gold items that most raters miss, and make the gold and calibration items that raters lack."""
    now = parts.clock.now()
    with parts.store.begin() as tx:
        study = tx.of_studies.hold(study_id)
        if study.state != "running":
            return
        doubtful = tx.of_quality.doubtful(study_id, DOUBTED_AFTER)
        if doubtful:
            retire(tx, tx.golds.all(id=doubtful), now)
        _make(tx, parts, study, "calibration", _uncalibrated(tx, study, now))
        _make(tx, parts, study, "gold", min(_lacking(tx, study, now), MOST_AT_ONCE))


def _lacking(tx: Transaction, study: Study, now: datetime) -> int:
    """Return how many gold items the rater lacks who has met most of them."""
    unmet = [len(tx.of_turns.open_to(asker, ("gold",))) for asker in turns.about(tx, study, now)]
    return AHEAD - min(unmet, default=AHEAD) - _in_the_making(tx, study, "gold")


def _uncalibrated(tx: RatingRows, study: Study, now: datetime) -> int:
    """Return how many calibration items the rater lacks who has fewest before them."""
    lacking = [_lacks(tx, study, place, now) for place in tx.enrolments.all(study_id=study.id)]
    return max(lacking, default=0) - _in_the_making(tx, study, "calibration")


def _lacks(tx: RatingRows, study: Study, place: Enrolment, now: datetime) -> int:
    since = Seat(enrolment=place).calibration_since
    if since is None or place.paused_at is not None:
        return 0
    done = tx.of_enrolments.calibrated(study.id, place.rater_id, since)
    held = tx.of_enrolments.calibrating(study.id, place.rater_id, now)
    asker = Asker(study.id, place.rater_id, study.raters_wanted, now, place.unsafe_ok)
    return study.calibration - done - held - len(tx.of_turns.open_to(asker, ("calibration",)))


def _in_the_making(tx: StudyRows, study: Study, kind: ExperimentKind) -> int:
    return len(tx.experiments.all(study_id=study.id, kind=kind, state=("planned", "generating")))


def _make(tx: Transaction, parts: Parts, study: Study, kind: ExperimentKind, count: int) -> None:
    """Make so many items, half of them of what raters agree on as far as there is that, the others by spoiling.

    Newcomers meet as many from higher up the scale as from its bottom: what nobody agrees on yet are untouched sources.
    """
    if count <= 0:
        return
    now, half = parts.clock.now(), (count + 1) // 2
    present = {source.id: source for source in tx.of_studies.hold_inputs(study.id)}
    agreed = _agreed(tx, now, study, kind, half, present)
    if parts.degrader is None:
        return
    liked = sum(gold.high >= LIKED for gold in agreed)
    up = min(half - liked, count - len(agreed)) if kind == "calibration" else 0
    untouched = list(_untouched(tx, study, present.values(), up))
    spoilt = _spoilt(tx, study, present.values(), count - len(agreed) - len(untouched))
    planned: list[tuple[Option, GoldSource, tuple[int, int]]] = [(one, "untouched", BETTER) for one in untouched]
    for option, source, right in [*planned, *((one, "degraded", SPOILT) for one in spoilt)]:
        added, _ = _add(tx, now, option, kind, source, right)
        tx.of_jobs.add_once([make_job(added.id, added.generator, study.id, now)])


def _agreed(
    tx: RatingRows, now: datetime, study: Study, kind: ExperimentKind, limit: int, present: Mapping[str, Input]
) -> list[Gold]:
    """Make items of what raters agree on, which are ready at once."""
    found = tx.of_quality.agreed(study.id, limit)
    options = {option.id: option for option in tx.options.all(id=tuple(one.option_id for one in found))}
    made = []
    for one in found:
        option = options[one.option_id]
        if option.input_id in present:
            added, gold = _add(tx, now, option, kind, "agreement", (one.low, one.high))
            tx.of_experiments.move([added.experiment_id], "ready", now)
            made.append(gold)
    return made


def _add(
    tx: RatingRows, now: datetime, option: Option, kind: ExperimentKind, source: GoldSource, right: tuple[int, int]
) -> tuple[Option, Gold]:
    experiment = Experiment(new_id(), option.study_id, option.input_id, kind, "planned", now, now)
    tx.experiments.add(experiment)
    own = replace(option, id=new_id(), experiment_id=experiment.id, position=0, cost_micros=0, revision=0)
    tx.options.add(own)
    return own, tx.golds.add(Gold(new_id(), experiment.id, option.study_id, *right, source, now))


def _untouched(tx: Transaction, study: Study, sources: Iterable[Input], count: int) -> Iterable[Option]:
    """Plan copies of sources as they are, each source once: whoever has rated one gets it no second time."""
    shown = tx.of_quality.untouched(study.id)
    fresh = sorted((one for one in sources if one.id not in shown), key=lambda one: chance(study.id, UNTOUCHED, one.id))
    version = pointers.live_version(tx, study.prompt_key)
    return [_copy(study, one, version, UNTOUCHED, 0) for one in fresh[: max(count, 0)]]


def _spoilt(tx: Transaction, study: Study, sources: Iterable[Input], count: int) -> Iterable[Option]:
    """Plan degraded copies of the sources that have fewest, each with the fault that it had least, by chance."""
    made = list(tx.of_quality.spoilt(study.id))
    copies, faults = Counter(source for source, _ in made), Counter(made)
    version, candidates = pointers.live_version(tx, study.prompt_key), list(sources)
    for number in range(len(made), len(made) + count if candidates else 0):
        salt = f"{study.id} {number}"
        source = min(candidates, key=lambda one: (copies[one.id], chance(salt, one.id)))
        fault = min(FAULTS, key=lambda one: (faults[source.id, one], chance(salt, one)))
        copies[source.id] += 1
        faults[source.id, fault] += 1
        yield _copy(study, source, version, fault, number)


def _copy(study: Study, source: Input, version: PromptVersion, fault: str, seed: int) -> Option:
    return Option(
        id=new_id(),
        experiment_id="",
        study_id=study.id,
        input_id=source.id,
        position=0,
        generator=DEGRADED,
        version=version.id,
        point={"fault": fault},
        seed=seed,
        state="planned",
        why="",
    )


def exclude(
    parts: Parts, actor: Actor, study_id: str, rater_id: str, reason: str, since: datetime | None = None
) -> Exclusion:
    """Let a rater's ratings of a study count no more, from a time on or all; what was learnt is learnt again.

    A rater is excluded once: said again, the same exclusion holds, from the earlier of both times.
    """
    words = reason.strip()
    if not words or len(words) > REASON_LIMIT:
        raise InvalidRequest(f"Say why this rater is excluded, in at most {REASON_LIMIT} characters.")
    now = parts.clock.now()
    with parts.store.begin() as tx:
        study = rights.found(tx.studies, actor, "steer", "study", study_id)
        if tx.memberships.find(user_id=rater_id, project_id=study.project_id) is None:
            raise NotFound(f"There is no rater {rater_id} in this project.")
        tx.of_people.lock(rater_id)
        known = tx.exclusions.find(study_id=study_id, rater_id=rater_id, lifted_at=None)
        start = since or tx.users.get(rater_id).created_at
        if known is not None and known.since <= start:
            return known
        fresh = Exclusion(new_id(), study_id, rater_id, start, words, now)
        kept = tx.exclusions.replace(replace(known, since=start, reason=words)) if known else tx.exclusions.add(fresh)
        tx.of_jobs.add_once(jobs_after_rating(study_id, now))
        about = {"study": study_id, "exclusion": kept.id, "since": start.isoformat()}
        record(tx, now, actor, "rater.excluded", ("user", rater_id), details=about, note=words)
        return kept


def lift(parts: Parts, actor: Actor, exclusion_id: str) -> Exclusion:
    """Let an excluded rater's ratings count again, all of them; done twice, nothing changes."""
    now = parts.clock.now()
    with parts.store.begin() as tx:
        exclusion = tx.exclusions.find(id=exclusion_id)
        if exclusion is None:
            raise NotFound(f"There is no exclusion {exclusion_id}.")
        rights.found(tx.studies, actor, "steer", "study", exclusion.study_id)
        tx.of_people.lock(exclusion.rater_id)
        exclusion = tx.exclusions.get(exclusion_id)
        if exclusion.lifted_at is not None:
            return exclusion
        lifted = tx.exclusions.replace(replace(exclusion, lifted_at=now))
        tx.of_jobs.add_once(jobs_after_rating(exclusion.study_id, now))
        about = {"study": exclusion.study_id, "exclusion": exclusion.id}
        record(tx, now, actor, "rater.counted_again", ("user", exclusion.rater_id), details=about)
        return lifted


def exclusions(parts: Parts, actor: Actor, study_id: str) -> tuple[Exclusion, ...]:
    """Return who was ever excluded from a study, for those who steer it."""
    with parts.store.read() as tx:
        rights.found(tx.studies, actor, "steer", "study", study_id)
        return tx.exclusions.all(study_id=study_id)
