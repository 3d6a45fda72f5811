"""Queries of studies: what was learnt last."""

from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from web.adapters.tables import diagnoses
from web.domain.study import Learnt

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
