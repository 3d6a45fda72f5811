"""Queries that forget what identifies a person, past the revisions: none of it is in a hash of the audit."""

from datetime import datetime

from sqlalchemy import Connection, delete, or_, select, update

from web.adapters.database.tables import (
    ab_tests,
    api_keys,
    audit_events,
    batch_items,
    batches,
    enrolments,
    evolution_rounds,
    exclusions,
    feedback,
    inputs,
    links,
    ratings,
    saved_filters,
    sweeps,
    users,
)
from web.rows import accounts as rows

_NO_WORDS = {"pause_reason": "", "appeal": "", "answered": "", "message": ""}


class ErasureQueries(rows.ErasureQueries):
    """Named queries of what a person typed."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def forget_words(self, user_id: str, now: datetime, name: str) -> None:
        mine, theirs = ratings.c.judge_id == user_id, feedback.c.key_id == user_id
        about = or_(audit_events.c.actor_id == user_id, audit_events.c.object_id == user_id)
        chosen = select(batches.c.id).where(batches.c.made_by == user_id)
        rated = evolution_rounds.c.study_id.in_(select(ratings.c.study_id).where(mine))
        for statement in (
            update(ab_tests).where(ab_tests.c.opened_by == user_id).values(hypothesis=""),
            update(evolution_rounds).where(rated).values(diagnosis=""),
            update(ratings).where(mine, ratings.c.comment != "").values(comment="", fingerprint="", changed_at=now),
            update(feedback).where(theirs, feedback.c.comment != "").values(comment="", fingerprint=""),
            update(audit_events).where(about, audit_events.c.note != "").values(note=""),
            update(exclusions).where(exclusions.c.rater_id == user_id).values(reason=""),
            update(enrolments).where(enrolments.c.rater_id == user_id).values(**_NO_WORDS),
            update(enrolments).where(enrolments.c.paused_by == user_id).values(pause_reason=""),
            update(enrolments).where(enrolments.c.message_by == user_id).values(message=""),
            update(api_keys).where(api_keys.c.owner_id == user_id).values(name=name),
            update(inputs).where(inputs.c.added_by == user_id).values(name=name, metadata=None),
            delete(batch_items).where(batch_items.c.batch_id.in_(chosen)),
            delete(batches).where(batches.c.made_by == user_id),
            delete(sweeps).where(sweeps.c.asked_by == user_id, sweeps.c.finished_at.is_not(None)),
            delete(saved_filters).where(saved_filters.c.user_id == user_id),
        ):
            self.connection.execute(statement)

    def forget_invited(self, before: datetime) -> None:
        nobodys = links.c.email.not_in(select(users.c.email))
        self.connection.execute(delete(links).where(links.c.expires_at < before, nobodys))
