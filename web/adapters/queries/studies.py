"""Queries of studies: what was learnt last, and inputs that are held while something is made of them."""

from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from web.adapters.tables import diagnoses, inputs
from web.domain.study import Input, Learnt

KEPT_DIAGNOSES = 20


class StudyQueries:
    """Named queries of studies."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def newest_diagnosis(self, study_id: str) -> Learnt | None:
        """Return what was learnt last of a study, or None."""
        query = select(diagnoses).where(diagnoses.c.study_id == study_id).order_by(diagnoses.c.made_at.desc()).limit(1)
        row = self.connection.execute(query).mappings().first()
        return None if row is None else Learnt(**row)

    def make_newest(self, diagnosis_id: str, now: datetime) -> None:
        """Let an earlier diagnosis be the newest again, as it is once the ratings since were undone."""
        self.connection.execute(update(diagnoses).where(diagnoses.c.id == diagnosis_id).values(made_at=now))

    def forget_old_diagnoses(self, study_id: str) -> None:
        """Keep a study's newest diagnoses only; an older one is computed again where it is asked for."""
        newest = (
            select(diagnoses.c.id)
            .where(diagnoses.c.study_id == study_id)
            .order_by(diagnoses.c.made_at.desc())
            .limit(KEPT_DIAGNOSES)
        )
        old = delete(diagnoses).where(diagnoses.c.study_id == study_id, diagnoses.c.id.not_in(newest))
        self.connection.execute(old)

    def lock_input(self, input_id: str) -> Input | None:
        """Return an input, which nobody else changes or builds on until this transaction ends."""
        query = select(inputs).where(inputs.c.id == input_id).with_for_update(key_share=True)
        row = self.connection.execute(query).mappings().first()
        return None if row is None else Input(**row)

    def hold_inputs(self, study_id: str, input_id: str | None = None) -> tuple[Input, ...]:
        """Return the present inputs of a study, or the one named, which stay present until this transaction ends."""
        query = select(inputs).where(inputs.c.study_id == study_id, inputs.c.removed_at.is_(None))
        if input_id is not None:
            query = query.where(inputs.c.id == input_id)
        held = self.connection.execute(query.order_by(inputs.c.id).with_for_update(read=True))
        return tuple(Input(**row) for row in held.mappings())
