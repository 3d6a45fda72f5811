"""A/B tests and their pairs."""

from typing import Protocol

from web.domain.abtests.abtest import ABTest, Pair
from web.domain.abtests.evidence import Spreading
from web.domain.studies.study import Input
from web.rows.collection import Collection


class ABTestQueries(Protocol):
    """Named queries of A/B tests."""

    def lock(self, test_id: str) -> ABTest:
        """Return a test that nobody else plans, closes pairs of or decides until this transaction ends."""
        ...

    def next_inputs(self, test: ABTest, count: int) -> tuple[Input, ...]:
        """Return the present inputs of its study with the fewest pairs of a test, oldest first among equals."""
        ...

    def spreading(self, study_id: str) -> tuple[Spreading, ...]:
        """Return how the closed pairs of a study's tests differ, for each challenger of each test."""
        ...


class ABTestRows(Protocol):
    """A/B tests and their pairs."""

    ab_tests: Collection[ABTest]
    ab_pairs: Collection[Pair]
    of_ab_tests: ABTestQueries
