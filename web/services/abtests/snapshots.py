"""A/B tests as files under `experiments/`: a copy of what the database says, for whoever reads the folder."""

import json
from datetime import UTC, datetime

from ml_service.errors import Conflict, Unavailable
from web.domain.abtests.abtest import ABTest, Evidence, stand
from web.domain.prompts.prompt import PromptVersion
from web.ports.parts import Parts
from web.rows.transaction import Transaction
from web.services.prompts.publication import folder_errors

FOLDER = "experiments"
TRIES = 5
Json = dict[str, object]


def snapshot_path(test_id: str) -> str:
    """Return where the snapshot of a test lies."""
    return f"{FOLDER}/{test_id}.json"


def save_snapshot(parts: Parts, test_id: str) -> None:
    """Write what the database says of a test, again where something else wrote meanwhile."""
    path = snapshot_path(test_id)
    for _ in range(TRIES):
        with folder_errors():
            tag = parts.published.tag(path)
            with parts.store.read() as tx:
                body = _body(tx, tx.ab_tests.get(test_id))
            try:
                parts.published.replace(path, body, tag)
            except Conflict:
                continue
        return
    raise Unavailable(f"Something keeps changing {path} in PROMPTS_DIR; find out what, and stop it.")


def _body(tx: Transaction, test: ABTest) -> bytes:
    versions = {one.id: one for one in tx.versions.all(id=(test.champion, *test.challengers))}
    found = test.decision.evidence if test.decision else stand(test, tx.ab_pairs.all(test_id=test.id))
    design = test.design
    said: Json = {
        "id": test.id,
        "prompt_key": test.prompt_key,
        "kind": test.kind,
        "state": test.state,
        "champion": _name(versions[test.champion]),
        "challengers": [_challenger(one, versions) for one in found],
        "hypothesis": test.hypothesis,
        "design": {"unit": "input", "paired": True, "blinded": True, "allocation": "top-two-thompson", **vars(design)},
        "threshold": test.threshold,
        "policy": test.policy,
        "opened_at": _time(test.created_at),
        "decision": test.decision.outcome if test.decision else None,
        "winner": _name(versions[test.decision.winner]) if test.decision and test.decision.winner else None,
        "decided_at": _time(test.decided_at),
        "settled_at": _time(test.settled_at),
    }
    return (json.dumps(said, indent=2, ensure_ascii=False) + "\n").encode()


def _challenger(one: Evidence, versions: dict[str, PromptVersion]) -> Json:
    return {
        "version": _name(versions[one.challenger]),
        "n": one.pairs,
        "mean_diff_stars": round(one.gain, 4),
        "bounds": [one.low, one.high],
        "e": round(one.better, 4),
        "e_harm": round(one.worse, 4),
        "raters": one.raters,
        "across_raters": round(one.across, 4),
        "across_raters_needed": round(one.across_needed, 4),
        "guardrails": {f"tag:{tag}": round(value, 4) for tag, value in one.tags.items()}
        | {"failures": round(one.failures, 4), "failed": one.failed},
    }


def _name(version: PromptVersion) -> str:
    """Name a version; one that was not released has its id for a name."""
    return version.name or version.id


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
