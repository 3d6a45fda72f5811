"""Numbers for Prometheus: requests by route template, jobs by state, ratings stored."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from web.ports.parts import Books
from web.services.operations.views import counts

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Metrics:
    """Counts the requests of one process, and reads the database when asked to show what it knows."""

    def __init__(self, parts: Books) -> None:
        self.registry = CollectorRegistry()
        labels = ("method", "route")
        self._requests = Counter("palate_requests", "Requests answered.", (*labels, "status"), registry=self.registry)
        self._seconds = Histogram(
            "palate_request_seconds",
            "Seconds until an answer began.",
            labels,
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.registry.register(_Rows(parts))

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request."""
        self._requests.labels(method, route, status).inc()
        self._seconds.labels(method, route).observe(seconds)

    def text(self) -> bytes:
        """Return everything in Prometheus's text format."""
        return generate_latest(self.registry)


class _Rows(Collector):
    """What is read from the database at each scrape."""

    def __init__(self, parts: Books) -> None:
        self.parts = parts

    def describe(self) -> list[Metric]:
        """Return nothing, so that registering does not read the database."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Read the counts."""
        found = counts(self.parts)
        jobs = GaugeMetricFamily("palate_jobs", "Jobs in the database.", labels=("state",))
        for state, count in sorted(found.jobs.items()):
            jobs.add_metric((state,), count)
        yield jobs
        yield GaugeMetricFamily("palate_ratings", "Ratings stored and not undone.", value=found.ratings)
