"""The clock of a place: what time asks for, and no request does."""

import logging
from datetime import timedelta

from web.domain.abtests.abtest import OPEN
from web.domain.jobs import compare_job, evolve_job, pairs_job, plan_job, prune_job
from web.ports.parts import Parts
from web.services.abtests.safeguard import watch_rows
from web.services.prompts.publication import repair
from web.services.prompts.watch import Watch

log = logging.getLogger("palate.worker")


def tick(parts: Parts, watch: Watch | None = None) -> None:
    """Do what time asks for: end leases, look after studies, forget old jobs and tries, repair published files.

    A watch knows which prompts were right a tick ago; without one it looks as a fresh process does.
    """
    now = parts.clock.now()
    with parts.store.read() as tx:
        running = tx.studies.all(state="running")
        tests = tx.ab_tests.all(state=(*OPEN, "decided"), settled_at=None)
    with parts.store.begin() as tx:
        ahead = tx.of_jobs.date_anew(now)
        tx.of_leases.expire(now)
        tx.of_jobs.add_once([job(study.id, now) for study in running for job in (plan_job, compare_job, evolve_job)])
        tx.of_jobs.add_once([prune_job(now), *(pairs_job(test.id, test.study_id, now) for test in tests)])
        tx.of_jobs.prune(now - timedelta(days=1))
        tx.of_people.forget_attempts(now - timedelta(days=1))
    if ahead:
        log.warning("the clock went back: what it had dated ahead waits as long as was meant", extra={"jobs": ahead})
    _look_after_prompts(parts, watch or Watch())


def _look_after_prompts(parts: Parts, watch: Watch) -> None:
    suspects = watch.suspects(parts)
    watch_rows(parts, suspects.keys)
    watch.settled(suspects.keys, repair(parts, suspects.keys, whole=suspects.whole))
