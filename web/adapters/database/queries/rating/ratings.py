"""Queries of ratings: stored once, undone for good, counted by rater."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, and_, bindparam, func, select, update

from web.adapters.database.columns import Utc
from web.adapters.database.queries.common import BY_PEOPLE, insert_once, standing
from web.adapters.database.tables import exclusions, experiments, options, ratings, tombstones
from web.domain.rating.rating import Exclusions, Rating, Tally
from web.rows import rating as rows


class RatingQueries(rows.RatingQueries):
    """Named queries of ratings."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def add_once(self, new: Sequence[Rating]) -> frozenset[str]:
        if not new:
            return frozenset()
        statement = insert_once(self.connection, ratings, ratings.c.id)
        rows = self.connection.execute(statement, [rating.__dict__ for rating in new])
        return frozenset(rows.scalars())

    def by_id(self, ids: Iterable[str]) -> dict[str, Rating]:
        query = select(ratings).where(ratings.c.id.in_(tuple(ids)))
        return {row["id"]: Rating(**row) for row in self.connection.execute(query).mappings()}

    def standing(self, study_id: str) -> tuple[Rating, ...]:
        query = (
            select(ratings)
            .where(ratings.c.study_id == study_id, ratings.c.undone_at.is_(None), BY_PEOPLE)
            .order_by(ratings.c.rated_at, ratings.c.id)
        )
        return tuple(Rating(**row) for row in self.connection.execute(query).mappings())

    def buried(self, rater_id: str, ids: Iterable[str]) -> dict[str, datetime]:
        rows = self.connection.execute(_BURIED, {"ids": tuple(ids), "rater": rater_id})
        return {row.id: row.undone_at for row in rows}

    def bury(self, rating_id: str, rater_id: str, now: datetime) -> bool:
        statement = insert_once(self.connection, tombstones, tombstones.c.id)
        row = {"id": rating_id, "rater_id": rater_id, "undone_at": now}
        return self.connection.execute(statement, row).first() is not None

    def undo(self, rating_id: str, rater_id: str, now: datetime) -> Rating | None:
        mine = and_(ratings.c.id == rating_id, ratings.c.judge_id == rater_id, ratings.c.undone_at.is_(None))
        row = self.connection.execute(select(ratings).where(mine)).mappings().first()
        if row is None:
            return None
        self.connection.execute(update(ratings).where(mine).values(undone_at=now, changed_at=now))
        return Rating(**row)

    def forget_comments(self, now: datetime, *, input_id: str) -> None:
        about = ratings.c.experiment_id.in_(select(experiments.c.id).where(experiments.c.input_id == input_id))
        said = update(ratings).where(about, ratings.c.comment != "")
        self.connection.execute(said.values(comment="", changed_at=now))

    def tally(self, experiment_ids: Iterable[str]) -> tuple[Tally, ...]:
        rated: dict[tuple[str, str], set[str]] = {}
        skipped: dict[tuple[str, str], set[str]] = {}
        for row in self.connection.execute(_TALLY, {"experiments": tuple(experiment_ids)}):
            key = (row.experiment_id, row.id)
            rated.setdefault(key, set())
            skipped.setdefault(key, set())
            if row.judge_id is not None:
                (skipped if row.score is None else rated)[key].add(row.judge_id)
        return tuple(Tally(*key, frozenset(rated[key]), frozenset(skipped[key])) for key in rated)

    def count_by(self, rater_id: str, study_id: str, since: datetime) -> tuple[int, int]:
        row = self.connection.execute(_COUNT_BY, {"rater": rater_id, "study": study_id, "since": since}).one()
        return int(row[0]), int(row[1])

    def count(self, study_id: str) -> int:
        query = select(func.count()).where(
            ratings.c.study_id == study_id, ratings.c.undone_at.is_(None), ratings.c.score.is_not(None), BY_PEOPLE
        )
        return self.connection.execute(query).scalar_one()

    def count_since(self, study_id: str, since: datetime) -> int:
        query = select(func.count()).where(
            ratings.c.study_id == study_id,
            ratings.c.undone_at.is_(None),
            ratings.c.score.is_not(None),
            ratings.c.rated_at >= since,
            BY_PEOPLE,
        )
        return self.connection.execute(query).scalar_one()

    def excluded(self, study_id: str) -> Exclusions:
        query = select(exclusions.c.rater_id, func.min(exclusions.c.since).label("since")).where(
            exclusions.c.study_id == study_id, exclusions.c.lifted_at.is_(None)
        )
        rows = self.connection.execute(query.group_by(exclusions.c.rater_id))
        return Exclusions({row.rater_id: row.since for row in rows})


_COUNT_BY = select(func.count().filter(ratings.c.rated_at >= bindparam("since", type_=Utc())), func.count()).where(
    ratings.c.judge_id == bindparam("rater"),
    ratings.c.study_id == bindparam("study"),
    ratings.c.undone_at.is_(None),
    ratings.c.score.is_not(None),
)
_BURIED = select(tombstones.c.id, tombstones.c.undone_at).where(
    tombstones.c.id.in_(bindparam("ids", expanding=True)), tombstones.c.rater_id == bindparam("rater")
)
_TALLY = (
    select(options.c.experiment_id, options.c.id, ratings.c.judge_id, ratings.c.score)
    .join(ratings, standing(options.c.id), isouter=True)
    .where(options.c.experiment_id.in_(bindparam("experiments", expanding=True)), options.c.state == "ready")
)
