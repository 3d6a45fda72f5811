"""Queries of raters in studies: how far their calibration is, and what they have worked."""

from datetime import datetime

from sqlalchemy import Connection, and_, case, func, select

from web.adapters.database.tables import experiments, leases, ratings, studies, users
from web.domain.rating.pay import LONGEST_LOOK, PayLine
from web.domain.studies.experiment import SAMPLES
from web.rows import rating as rows

_HOUR_MS = 3_600_000


class EnrolmentQueries(rows.EnrolmentQueries):
    """Named queries of raters in studies."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def calibrated(self, study_id: str, rater_id: str, since: datetime) -> int:
        query = (
            select(func.count())
            .select_from(ratings)
            .join(experiments, experiments.c.id == ratings.c.experiment_id)
            .where(
                experiments.c.kind == "calibration",
                ratings.c.study_id == study_id,
                ratings.c.judge_id == rater_id,
                ratings.c.rated_at >= since,
                ratings.c.undone_at.is_(None),
            )
        )
        return self.connection.execute(query).scalar_one()

    def calibrating(self, study_id: str, rater_id: str, now: datetime) -> int:
        query = (
            select(func.count())
            .select_from(leases)
            .join(experiments, experiments.c.id == leases.c.experiment_id)
            .where(
                experiments.c.kind == "calibration",
                leases.c.study_id == study_id,
                leases.c.rater_id == rater_id,
                leases.c.state == "held",
                leases.c.until > now,
            )
        )
        return self.connection.execute(query).scalar_one()

    def pay(self, project_id: str, since: datetime, until: datetime) -> tuple[PayLine, ...]:
        stands = ratings.c.undone_at.is_(None)
        scored = and_(stands, ratings.c.score.is_not(None))
        sampled = and_(scored, experiments.c.kind.in_(SAMPLES))
        looked = case((ratings.c.seen_ms > LONGEST_LOOK, LONGEST_LOOK), else_=ratings.c.seen_ms)
        query = (
            select(
                users.c.email,
                users.c.id,
                func.count(case((scored, 1))),
                func.count(case((and_(stands, ratings.c.skip.is_not(None)), 1))),
                func.count(case((sampled, ratings.c.experiment_id)).distinct()),
                func.sum(looked),
            )
            .join(users, users.c.id == ratings.c.judge_id)
            .join(studies, studies.c.id == ratings.c.study_id)
            .join(experiments, experiments.c.id == ratings.c.experiment_id)
            .where(studies.c.project_id == project_id, ratings.c.rated_at >= since, ratings.c.rated_at < until)
            .group_by(users.c.email, users.c.id)
            .order_by(users.c.email)
        )
        return tuple(
            PayLine(email, user_id, ratings, skips, samples, round(int(ms) / _HOUR_MS, 4))
            for email, user_id, ratings, skips, samples, ms in self.connection.execute(query)
        )
