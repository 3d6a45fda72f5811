"""A rater's place in a study: consent, guidelines, calibration, content they do not want, pauses and appeals."""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from zoneinfo import available_timezones

from ml_service.errors import Conflict, InvalidRequest, NotFound
from web.domain.access import Actor
from web.domain.accounts import User
from web.domain.ids import new_id
from web.domain.rating.enrolment import Enrolment
from web.domain.rating.lease import Asker
from web.domain.studies.study import Study
from web.ports.parts import Books
from web.rows.rating import RatingRows
from web.rows.transaction import Transaction
from web.services.accounts import rights
from web.services.audit.record import record
from web.services.rating import mixing
from web.services.rating.training import Turn
from web.services.studies.experiments import study_to_see

NOTHING_TO_RATE = "No study is yours to rate yet. An admin starts one under Studies, and says there who rates it."
MOST_WORDS = 1000
MOST_MESSAGE = 500


@dataclass(frozen=True)
class Training:
    """How far a rater is with the calibration that is due."""

    done: int
    of: int


@dataclass(frozen=True)
class Onboarding:
    """What a rater has to do before they go on: consent, read the guidelines, rate items whose answer is known."""

    consent: bool = False
    guidelines: bool = False
    training: Training | None = None


@dataclass(frozen=True)
class Said:
    """What a rater says of themselves; what is None stays.

    `consent` is the hash of the text they agree to, `message_read` when the message was written that they have read.
    """

    consent: str | None = None
    read: bool = False
    unsafe_ok: bool | None = None
    message_read: datetime | None = None


def own(
    tx: Transaction, rater: Actor, study_id: str | None, now: datetime, tab: str = ""
) -> tuple[Study, Enrolment | None]:
    """Return the study asked for, else the one of the next photos of a rater's tab, and their place in it."""
    study = study_to_see(tx, rater, study_id) if study_id else mixing.first(tx, rater, tab, now)
    if study is None:
        raise NotFound(NOTHING_TO_RATE)
    return study, tx.enrolments.find(study_id=study.id, rater_id=rater.user_id)


def _meant(tx: Transaction, rater: Actor, study_id: str | None, now: datetime) -> Study:
    """Return the study that something is said of; of several that are mixed, it has to be named."""
    if not study_id and len(mixing.offers(tx, rater, None, "", now)) > 1:
        raise InvalidRequest("You rate several studies: say in `study` which one is meant.")
    return own(tx, rater, study_id, now)[0]


def enrol(parts: Books, rater: Actor, study_id: str | None, given: Said, tab: str = "") -> Onboarding:
    """Keep what a rater agreed to, read or does not want to see; said twice, it is kept once."""
    now = parts.clock.now()
    with parts.store.begin() as tx:
        tx.of_people.lock(rater.user_id)
        says = given != Said()
        study = _meant(tx, rater, study_id, now) if says else own(tx, rater, study_id, now, tab)[0]
        before = _taken(tx, study, rater.user_id, now)
        agreed = _agreed(before, study, given.consent, now)
        changed = replace(
            agreed,
            read_at=before.read_at or (now if given.read else None),
            unsafe_ok=before.unsafe_ok if given.unsafe_ok is None else given.unsafe_ok,
            message_read_at=_message_read_at(before, given, now),
        )
        after = tx.enrolments.replace(changed) if changed != before else before
        if after.consented_at != before.consented_at:
            record(tx, now, rater, "rater.consented", ("user", rater.user_id), details=_about(after))
        return _onboarding(tx, study, after, now)


def _message_read_at(place: Enrolment, given: Said, now: datetime) -> datetime | None:
    """Return when the rater read their message; one that came after what they say they read is still unread."""
    is_it = place.message_at is not None and given.message_read == place.message_at
    return place.message_read_at or (now if is_it else None)


def onboarding(parts: Books, turn: Turn) -> Onboarding:
    """Say what a rater has to do before they go on with the study of their turn."""
    if turn.study is None:
        return Onboarding()
    place = turn.seat.enrolment
    if place is None:
        return Onboarding(consent=bool(turn.study.guide.consent), guidelines=True)
    if turn.seat.calibration_since is None:
        return Onboarding(not place.consents_to(turn.study.guide), place.read_at is None)
    with parts.store.read() as tx:
        return _onboarding(tx, turn.study, tx.enrolments.get(place.id), parts.clock.now())


def _onboarding(tx: RatingRows, study: Study, place: Enrolment, now: datetime) -> Onboarding:
    return Onboarding(
        consent=not place.consents_to(study.guide),
        guidelines=place.read_at is None,
        training=_training(tx, study, place, now),
    )


def _training(tx: RatingRows, study: Study, place: Enrolment, now: datetime) -> Training | None:
    """Count the calibration that is due: its items, or as many as there are; None where there are none at all."""
    since = place.calibration_since
    if since is None or place.read_at is None:
        return None
    done = tx.of_enrolments.calibrated(study.id, place.rater_id, since)
    asker = Asker(study.id, place.rater_id, study.raters_wanted, now, place.unsafe_ok)
    to_come = len(tx.of_turns.open_to(asker, ("calibration",)))
    of = min(study.calibration, done + to_come + tx.of_enrolments.calibrating(study.id, place.rater_id, now))
    return Training(min(done, of), of) if of else None


def appeal(parts: Books, rater: Actor, study_id: str | None, words: str) -> Enrolment:
    """Let a rater say that they are judged wrongly; an admin answers."""
    now = parts.clock.now()
    said = _words(words, "Say what is wrong")
    with parts.store.begin() as tx:
        tx.of_people.lock(rater.user_id)
        study = _meant(tx, rater, study_id, now)
        place = _taken(tx, study, rater.user_id, now)
        if place.appeal == said and place.answered_at is None:
            return place
        after = tx.enrolments.replace(replace(place, appeal=said, appealed_at=now, answered="", answered_at=None))
        record(tx, now, rater, "rater.appealed", ("user", rater.user_id), details=_about(after), note=said)
        return after


def pause(parts: Books, admin: Actor, study_id: str, rater_id: str, reason: str) -> Enrolment:
    """Give a rater of a study no more items for now; they keep their place and read why."""
    return _change(
        parts,
        admin,
        study_id,
        rater_id,
        "rater.paused",
        {"paused_at": parts.clock.now(), "pause_reason": _words(reason, "Say why"), "paused_by": admin.user_id or None},
    )


def resume(parts: Books, admin: Actor, study_id: str, rater_id: str) -> Enrolment:
    """Let a paused rater go on where they stopped."""
    return _change(
        parts, admin, study_id, rater_id, "rater.resumed", {"paused_at": None, "pause_reason": "", "paused_by": None}
    )


def recalibrate(parts: Books, admin: Actor, study_id: str, rater_id: str) -> Enrolment:
    """Ask a rater for the calibration again, before anything else."""
    return _change(parts, admin, study_id, rater_id, "rater.recalibrated", {"recalibrate_from": parts.clock.now()})


def answer(parts: Books, admin: Actor, study_id: str, rater_id: str, words: str) -> Enrolment:
    """Answer a rater's appeal in words that they read."""
    said = {"answered": _words(words, "Write an answer"), "answered_at": parts.clock.now()}
    return _change(parts, admin, study_id, rater_id, "rater.answered", said)


def message(parts: Books, admin: Actor, study_id: str, rater_id: str, words: str) -> Enrolment:
    """Write to a rater of a study, in place of what was written before; they see it until they have read it."""
    said = {
        "message": _words(words, "Write a message", MOST_MESSAGE),
        "message_at": parts.clock.now(),
        "message_by": admin.user_id or None,
        "message_read_at": None,
    }
    return _change(parts, admin, study_id, rater_id, "rater.messaged", said)


def enrolments(parts: Books, admin: Actor, study_id: str) -> tuple[Enrolment, ...]:
    """Return the places that raters have taken in a study."""
    with parts.store.read() as tx:
        rights.found(tx.studies, admin, "steer", "study", study_id)
        return tx.enrolments.all(study_id=study_id)


@cache
def time_zones() -> tuple[str, ...]:
    """Return the names of all time zones that this machine knows."""
    return tuple(sorted({"UTC", *available_timezones()}))


def choose_time_zone(parts: Books, rater: Actor, zone: str) -> User:
    """Say by which midnight a person's day begins."""
    if zone not in time_zones():
        raise InvalidRequest(f"There is no time zone {zone[:64]!r}; choose one such as Europe/Berlin.")
    with parts.store.begin() as tx:
        tx.of_people.lock(rater.user_id)
        user = tx.users.get(rater.user_id)
        if user.time_zone == zone:
            return user
        moved = tx.users.replace(replace(user, time_zone=zone))
        record(tx, parts.clock.now(), rater, "user.zoned", ("user", user.id), before=user, after=moved)
        return moved


def _change(
    parts: Books, admin: Actor, study_id: str, rater_id: str, action: str, changes: dict[str, object]
) -> Enrolment:
    now = parts.clock.now()
    with parts.store.begin() as tx:
        study = rights.found(tx.studies, admin, "steer", "study", study_id)
        if tx.memberships.find(user_id=rater_id, project_id=study.project_id) is None:
            raise NotFound(f"There is no rater {rater_id} in this project.")
        tx.of_people.lock(rater_id)
        place = _taken(tx, study, rater_id, now)
        if action == "rater.answered" and place.appealed_at is None:
            raise Conflict("This rater has made no appeal.")
        if action == "rater.recalibrated" and not study.calibration:
            raise Conflict("Newcomers of this study practise on nothing; set how many photos under Studies first.")
        if _is_so_already(place, action, changes):
            return place
        after = tx.enrolments.replace(replace(place, **changes))  # type: ignore[arg-type]
        note = str(changes.get("pause_reason") or changes.get("answered") or changes.get("message") or "")
        record(tx, now, admin, action, ("user", rater_id), details=_about(after), note=note)
        return after


def _is_so_already(place: Enrolment, action: str, changes: dict[str, object]) -> bool:
    paused = place.paused_at is not None
    return (
        (action == "rater.paused" and paused and place.pause_reason == changes["pause_reason"])
        or (action == "rater.resumed" and not paused)
        or (action == "rater.messaged" and place.unread == changes["message"])
    )


def _taken(tx: RatingRows, study: Study, rater_id: str, now: datetime) -> Enrolment:
    """Return a rater's place, which they take now where they have none; the caller holds the lock of the rater."""
    place = tx.enrolments.find(study_id=study.id, rater_id=rater_id)
    return place or tx.enrolments.add(Enrolment(new_id(), study.id, rater_id, now))


def _agreed(place: Enrolment, study: Study, consent: str | None, now: datetime) -> Enrolment:
    if not consent or place.consented_to == consent:
        return place
    if consent != study.guide.consent_hash:
        raise Conflict("What you are asked to agree to was changed meanwhile; load the page again and read it.")
    return replace(place, consented_at=now, consented_to=consent)


def _about(place: Enrolment) -> dict[str, str]:
    # An event is of the person, so that what was typed of them goes with them; the hash is no personal word.
    told = {"study": place.study_id}
    return told | ({"consent": place.consented_to} if place.consented_to else {})


def _words(given: str, asked: str, most: int = MOST_WORDS) -> str:
    words = given.strip()
    if not words or len(words) > most:
        raise InvalidRequest(f"{asked}, in at most {most} characters.")
    return words
