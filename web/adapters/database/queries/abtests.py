"""Queries of A/B tests: one locked test, the next inputs to compare on, and how pairs differ."""

from sqlalchemy import Connection, func, select

from ml_service.errors import NotFound
from web.adapters.database.tables import ab_pairs, ab_tests, inputs
from web.domain.abtests.abtest import ABTest
from web.domain.abtests.evidence import Spreading
from web.domain.studies.study import Input
from web.rows import abtests as rows


class ABTestQueries(rows.ABTestQueries):
    """Named queries of A/B tests."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def lock(self, test_id: str) -> ABTest:
        query = select(ab_tests).where(ab_tests.c.id == test_id).with_for_update()
        row = self.connection.execute(query).mappings().first()
        if row is None:
            raise NotFound(f"There is no A/B test {test_id}.")
        return ABTest(**row)

    def next_inputs(self, test: ABTest, count: int) -> tuple[Input, ...]:
        used = (
            select(func.count())
            .where(ab_pairs.c.test_id == test.id, ab_pairs.c.input_id == inputs.c.id, ab_pairs.c.state != "dropped")
            .correlate(inputs)
            .scalar_subquery()
        )
        present = (inputs.c.study_id == test.study_id) & inputs.c.removed_at.is_(None)
        query = select(inputs).where(present).order_by(used, inputs.c.id).limit(count)
        return tuple(Input(**row) for row in self.connection.execute(query).mappings())

    def spreading(self, study_id: str) -> tuple[Spreading, ...]:
        stars = ab_pairs.c.difference
        query = (
            select(func.count(stars), func.sum(stars), func.sum(stars * stars))
            .join(ab_tests, ab_tests.c.id == ab_pairs.c.test_id)
            .where(ab_tests.c.study_id == study_id, ab_pairs.c.state == "closed", stars.is_not(None))
            .group_by(ab_pairs.c.test_id, ab_pairs.c.challenger)
        )
        return tuple(Spreading(*row) for row in self.connection.execute(query))
