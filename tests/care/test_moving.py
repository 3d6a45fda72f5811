"""A project moves from one engine to the other: the same question, the same answer, the same published files."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ml_service.objects.local import Folder
from ml_service.wire.contract import Diagnosis, Suggestion, digest
from tests.care.lived import Installation, members
from web.services.learning.requests import diagnose_request, suggest_request
from web.services.operations.verify import Verification
from web.services.prompts import publication


def asked(there: Installation) -> tuple[str, Suggestion]:
    """Return the digest of what the optimizer would be asked now, and its answer."""
    with there.store.read() as tx:
        study = tx.studies.get(there.world.study.id)
        request = suggest_request(tx, study, 2, tx.of_experiments.next_inputs(study.id, 1))
    return digest(request), there.world.parts.optimizer.suggest(request)


def told(there: Installation) -> Diagnosis:
    """Return what the study's ratings tell."""
    with there.store.read() as tx:
        study = tx.studies.get(there.world.study.id)
        request = diagnose_request(tx, study)
    return there.world.parts.optimizer.diagnose(request)


def files(there: Installation) -> dict[str, bytes]:
    """Return the published versions; what is said beside the live one is a hint and may differ."""
    published = Folder(there.folder / "prompts")
    return {name: published.read(name) for name in published.list("versions/") if not name.endswith("meta.json")}


def test_the_next_suggestion_is_the_same(origin: Installation, empty: Installation, tmp_path: Path) -> None:
    empty.load_project(origin.export_project(tmp_path / "project.zip"))
    (question, answer), (question_here, answer_here) = asked(origin), asked(empty)
    assert question_here == question
    assert answer_here == answer
    assert len(answer.proposals) == 2


@pytest.mark.parametrize("engine", ["postgres"], indirect=True)
def test_the_diagnosis_is_the_same(origin: Installation, empty: Installation, tmp_path: Path) -> None:
    empty.load_project(origin.export_project(tmp_path / "project.zip"))
    assert told(empty) == told(origin)
    assert told(origin).ratings_used > 0


@pytest.mark.parametrize("engine", ["postgres"], indirect=True)
def test_the_published_files_are_the_same(origin: Installation, empty: Installation, tmp_path: Path) -> None:
    empty.load_project(origin.export_project(tmp_path / "project.zip"))
    assert publication.reconcile(empty.world.parts) != ()
    assert files(empty) == files(origin)
    assert {"versions/current.json", "versions/v1.0.0.json", "versions/v1.1.0.json"} <= files(origin).keys()


def test_there_and_back_again_changes_nothing_but_the_history(
    origin: Installation, empty: Installation, fresh: Callable[[], Installation], tmp_path: Path
) -> None:
    first = origin.export_project(tmp_path / "first.zip")
    empty.load_project(first)
    back = fresh()
    back.load_project(empty.export_project(tmp_path / "second.zip"))
    last = members(back.export_project(tmp_path / "third.zip"))
    events = "rows/audit_events.jsonl"
    assert last.pop(events).count(b"project.imported") == 2
    before = members(first)
    assert before.pop("manifest.json") != last.pop("manifest.json")
    del before[events]
    assert last == before


def test_what_was_moved_passes_every_check(origin: Installation, empty: Installation, tmp_path: Path) -> None:
    empty.load_project(origin.export_project(tmp_path / "project.zip"))
    publication.reconcile(empty.world.parts)
    assert [finding.says for finding in Verification(empty.world.parts, b"").findings()] == []
