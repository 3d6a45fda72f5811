"""Every kind of later work: under which key, by which task, with which arguments, and when."""

from dataclasses import replace
from datetime import datetime, timedelta

from web.domain.ids import new_id
from web.domain.job import Job

LEARN_DELAY = timedelta(seconds=1)  # one fit for all ratings that came meanwhile
CHECK_DELAY = timedelta(seconds=5)  # one job looks after all who asked meanwhile
PRUNE_EVERY = timedelta(hours=1)
IN_FLIGHT = timedelta(minutes=2)  # longer than any request is on its way
NIGHT = 2  # the hour in UTC when a fit of seconds is in nobody's way
FETCHING, FETCHES = "addresses", 1  # the resource of jobs that ask addresses, and how many of them run at a time
SOON, URGENT = 5, 10  # priorities: what raters will want next, and what somebody waits for


def plan_key(study_id: str) -> str:
    """Return the key of the job that plans a study."""
    return f"plan:{study_id}"


def plan_job(study_id: str, now: datetime) -> Job:
    """Return the job that keeps a study's queue ahead of its raters."""
    return Job(new_id(), plan_key(study_id), "plan", {"study": study_id}, now, now, priority=SOON, study_id=study_id)


def plan_upload_job(experiment_id: str, study_id: str, now: datetime) -> Job:
    """Return the job that chooses how an upload is treated; somebody waits for it."""
    key, arguments = f"plan_upload:{experiment_id}", {"experiment": experiment_id}
    return Job(new_id(), key, "plan_upload", arguments, now, now, priority=URGENT, study_id=study_id)


def make_key(option_id: str) -> str:
    """Return the key of the job that makes an option's output."""
    return f"make:{option_id}"


def make_job(option_id: str, generator: str, study_id: str, now: datetime, *, urgent: bool = False) -> Job:
    """Return the job that makes an option's output with a generator; what somebody waits for goes first."""
    key, arguments = make_key(option_id), {"option": option_id}
    job = Job(new_id(), key, "make", arguments, now, now, resource=making_with(generator), study_id=study_id)
    return replace(job, priority=URGENT if urgent else 0)


def looking_again(job: Job, ticket: str, again: timedelta) -> Job:
    """Return the job that, after a while, looks at what another began under a ticket."""
    return replace(job, arguments=job.arguments | {"ticket": ticket}, due_at=job.due_at + again)


def making_with(generator: str) -> str:
    """Name the resource that jobs need which make something with a generator."""
    return f"generator:{generator}"


def learn_job(study_id: str, now: datetime) -> Job:
    """Return the job that learns from a study's ratings."""
    return Job(new_id(), f"learn:{study_id}", "learn", {"study": study_id}, now, now + LEARN_DELAY, study_id=study_id)


def jobs_after_rating(study_id: str, now: datetime) -> tuple[Job, ...]:
    """Return what a new or undone rating asks for: learn from it, and plan what comes next."""
    return plan_job(study_id, now), learn_job(study_id, now)


def check_key(study_id: str) -> str:
    """Return the key of the job that makes a study's checks."""
    return f"check:{study_id}"


def check_job(study_id: str, now: datetime, delay: timedelta = CHECK_DELAY) -> Job:
    """Return the job that makes the gold and calibration items that raters of a study lack."""
    return Job(new_id(), check_key(study_id), "check", {"study": study_id}, now, now + delay, study_id=study_id)


def compare_job(study_id: str, now: datetime) -> Job:
    """Return the job that checks a study's order, due next night; only one waits at a time."""
    tonight = now.replace(hour=NIGHT, minute=0, second=0, microsecond=0)
    due = tonight if now < tonight else tonight + timedelta(days=1)
    return Job(new_id(), f"compare:{study_id}", "compare", {"study": study_id}, now, due, study_id=study_id)


def pairs_job(test_id: str, study_id: str, now: datetime) -> Job:
    """Return the job that closes pairs of a test and acts on what they decide."""
    return Job(new_id(), f"pairs:{test_id}", "pairs", {"test": test_id}, now, now, study_id=study_id)


def evolve_job(study_id: str, now: datetime) -> Job:
    """Return the job that looks whether a study's prompt is due for a round; only one waits at a time."""
    return Job(new_id(), f"evolve:{study_id}", "evolve", {"study": study_id}, now, now, study_id=study_id)


def reflect_job(round_id: str, study_id: str, now: datetime) -> Job:
    """Return the job that runs a round of evolution."""
    return Job(new_id(), f"reflect:{round_id}", "reflect", {"round": round_id}, now, now, study_id=study_id)


def forget_job(input_id: str, study_id: str, now: datetime) -> Job:
    """Return the job that deletes objects, should whoever takes an input down be killed before they have."""
    return Job(new_id(), f"forget:{input_id}", "forget", {"input": input_id}, now, now, study_id=study_id)


def sweep_job(sweep_id: str, study_id: str, now: datetime, delay: timedelta = timedelta(0)) -> Job:
    """Return the job that does the next slice of a change of many photos."""
    return Job(new_id(), f"sweep:{sweep_id}", "sweep", {"sweep": sweep_id}, now, now + delay, study_id=study_id)


def fetch_job(batch_id: str, study_id: str, now: datetime, delay: timedelta = timedelta(0)) -> Job:
    """Return the job that asks the next addresses of a batch for their photos."""
    key, arguments = f"fetch:{batch_id}", {"batch": batch_id}
    return Job(new_id(), key, "fetch", arguments, now, now + delay, resource=FETCHING, study_id=study_id)


def delete_job(keys: str, now: datetime) -> Job:
    """Return the job that deletes objects that nothing needs, their names with blanks between; each is its own."""
    job_id = new_id()
    return Job(job_id, f"delete:{job_id}", "delete", {"objects": keys}, now, now)


def forget_person_job(user_id: str, now: datetime) -> Job:
    """Return the job that forgets a person once more, after what they had under way has arrived."""
    return Job(new_id(), f"forget_person:{user_id}", "forget_person", {"user": user_id}, now, now + IN_FLIGHT)


def prune_job(now: datetime) -> Job:
    """Return the job that prunes, due an hour from now; only one waits at a time."""
    return Job(new_id(), "prune", "prune", {}, now, now + PRUNE_EVERY)
