"""What production says of the versions it runs: kept once, under the id its sender gave it."""

from datetime import UTC, datetime, timedelta

from ml_service.errors import Conflict, InvalidRequest, NotFound
from web.domain.access import Actor
from web.domain.prompts.feedback import Feedback, FeedbackVerdict, Report
from web.ports.parts import Books
from web.rows.prompts import PromptRows
from web.services.accounts import rights

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
CLOCKS_DIFFER = timedelta(days=1)


def send(parts: Books, actor: Actor, report: Report) -> FeedbackVerdict:
    """Keep a report on a released version; the same report again changes nothing, another one under its id is refused.

    A withdrawn version may still be reported on: somewhere it was in use.
    """
    with parts.store.begin() as tx:
        feedback = _feedback(tx, parts, actor, report)
        if tx.of_prompts.add_feedback_once(feedback):
            return "stored"
        known = tx.feedback.get(report.id)
    if (known.project_id, known.fingerprint) != (feedback.project_id, feedback.fingerprint):
        raise Conflict(f"Another report was sent under the id {report.id}; give each report an id of its own.")
    return "replayed"


def _feedback(tx: PromptRows, parts: Books, actor: Actor, report: Report) -> Feedback:
    prompt = rights.found(tx.prompts, actor, "send_feedback", "prompt", report.prompt_key)
    version = tx.versions.find(prompt_key=prompt.key, name=report.version)
    if version is None:
        raise NotFound(f"The prompt {prompt.key} has no version {report.version}.")
    now = parts.clock.now()
    if report.at is not None and not EARLIEST <= report.at <= now + CLOCKS_DIFFER:
        raise InvalidRequest("“at” must be a time between the year 2000 and now; leave it out for now.")
    return Feedback(
        id=report.id,
        project_id=prompt.project_id,
        prompt_key=prompt.key,
        version_id=version.id,
        key_id=actor.user_id,
        fingerprint=report.fingerprint,
        at=report.at or now,
        received_at=now,
        score=report.score,
        comment=report.comment,
        failure=report.failure,
    )
