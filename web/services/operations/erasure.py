"""Erase a person, or a photo with all that was made of it: what identifies is gone, what was learnt of it may stay.

Nothing of this can be undone, so whoever asks types again what is to be erased. Done twice, it is no error.
"""

from dataclasses import replace
from datetime import datetime

from ml_service.errors import Conflict, InvalidRequest, NotFound
from web.domain.access import Actor
from web.domain.accounts import User
from web.domain.jobs import forget_person_job
from web.domain.studies.study import Input
from web.ports.parts import Parts
from web.rows.accounts import AccountRows
from web.rows.transaction import Transaction
from web.services.accounts import rights
from web.services.accounts.members import keep_an_admin, membership_of
from web.services.accounts.sessions import hold_chains, record_shut, void_made_by
from web.services.audit.record import record
from web.services.studies.intake import detach, forget_objects

ERASED = "erased"
WORD = "erase"  # what is typed to erase a photo


def erase_person(parts: Parts, actor: Actor, user_id: str, typed: str, *, photos: bool = False) -> None:
    """Forget who a member was and all they typed; their ratings stay, under an id that leads nowhere.

    `typed` is their address. With `photos`, the photos that they brought are erased as well.
    """
    rights.demand(actor, "manage_people")
    now = parts.clock.now()
    with parts.store.begin() as tx:
        membership_of(tx, actor, user_id)
        keep_an_admin(tx, actor, user_id)
        user = _person(tx, actor, user_id)
        if user.erased_at is None:
            _confirm(typed, user.email)
            _erase(tx, actor, user, now)
    if photos:
        for source in _brought_by(parts, actor, user_id):
            _erase_photo(parts, actor, source)


def _person(tx: AccountRows, actor: Actor, user_id: str) -> User:
    tx.of_people.lock(user_id)
    if actor.user_id and len(tx.memberships.all(user_id=user_id)) > 1:
        raise Conflict("This person is a member of another project too; only the server's terminal can erase them.")
    return tx.users.get(user_id)


def _erase(tx: Transaction, actor: Actor, user: User, now: datetime) -> None:
    tx.links.remove(email=user.email)
    voided = void_made_by(tx, user.id, now)
    forgotten = tx.users.replace(user.erased(now))
    _forget(tx, user.id, now)
    tx.of_jobs.add_once([forget_person_job(user.id, now)])
    hold_chains(tx, actor, voided)
    record(tx, now, actor, "user.erased", ("user", user.id), before=user, after=forgotten)
    record_shut(tx, now, actor, voided)


def forget_person(parts: Parts, user_id: str) -> None:
    """Forget again what an erased person typed, as a request of theirs may have been on its way meanwhile."""
    with parts.store.begin() as tx:
        tx.of_people.lock(user_id)
        if tx.users.get(user_id).erased_at is not None:
            _forget(tx, user_id, parts.clock.now())


def _forget(tx: Transaction, user_id: str, now: datetime) -> None:
    tx.passwords.remove(id=user_id)
    tx.sessions.remove(user_id=user_id)
    tx.panel_members.remove(user_id=user_id)
    tx.assignments.remove(user_id=user_id)
    tx.of_erasure.forget_words(user_id, now, ERASED)
    tx.of_completions.forget_answers()


def _brought_by(parts: Parts, actor: Actor, user_id: str) -> tuple[Input, ...]:
    with parts.store.read() as tx:
        studies = tuple(study.id for study in tx.studies.all(project_id=actor.project_id))
        return tx.inputs.all(added_by=user_id, study_id=studies)


def photos_of(parts: Parts, actor: Actor, user_id: str) -> int:
    """Count the photos that a member brought and that are still there."""
    return sum(source.removed_at is None for source in _brought_by(parts, actor, user_id))


def erase_input(parts: Parts, actor: Actor, input_id: str, typed: str) -> None:
    """Erase a photo wherever the project has it: its bytes, all that was made of it, and every word about it.

    The rows keep their ids, and the hash of the content, by which a restored backup can be gone through again.
    """
    with parts.store.read() as tx:
        source = tx.inputs.find(id=input_id)
        if source is None:
            raise NotFound(f"There is no input {input_id}.")
        rights.found(tx.studies, actor, "steer", "study", source.study_id)
    _confirm(typed, WORD)
    _erase_photo(parts, actor, source)


def _erase_photo(parts: Parts, actor: Actor, source: Input) -> None:
    """Erase an input and its copies: other studies of the project, as a clone, may have the same photo."""
    now = parts.clock.now()
    with parts.store.begin() as tx:
        studies = tuple(study.id for study in tx.studies.all(project_id=actor.project_id))
        copies = tx.inputs.all(study_id=studies, content_hash=source.content_hash, kind=source.kind)
        changed = [_erased(tx, copy.id, now) for copy in copies]
        for before, after in changed:
            if before != after:
                record(tx, now, actor, "input.erased", ("input", after.id), before=before, after=after)
    for _, after in changed:
        forget_objects(parts, after.id)


def _erased(tx: Transaction, input_id: str, now: datetime) -> tuple[Input, Input]:
    source = tx.of_studies.lock_input(input_id)
    if source is None:
        raise NotFound(f"There is no input {input_id}.")
    nothing = replace(source, name=ERASED, payload=None, metadata=None, stratum="", related="", reference=None)
    if source == nothing and source.removed_at is not None:
        return source, source
    erased = tx.inputs.replace(replace(nothing, removed_at=source.removed_at or now))
    detach(tx, source, now)
    return source, erased


def _confirm(typed: str, wanted: str) -> None:
    if typed.strip().lower() != wanted.lower():
        raise InvalidRequest(f"Nothing was erased: type “{wanted}” to confirm.")
