"""An empty database believes the files it finds, if they are whole and agree; else it says what to do."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ml_service.errors import Conflict
from ml_service.objects.local import Folder
from tests.publishing.press import SHIPPED, add_prompt, candidate, check_files, live, make_parts, make_project
from web.adapters.database.store import SqlStore
from web.domain.access import Actor
from web.domain.prompts.prompt import DEFAULT_KEY, VersionFile, content_hash, from_bytes, to_bytes
from web.ports.parts import Parts
from web.services.prompts.adoption import adopt
from web.services.prompts.promotion import history, promote, roll_back, withdraw
from web.services.prompts.publication import reconcile

Spoil = Callable[[Path], object]


def bodies(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.json")}


@pytest.fixture
def elsewhere(tmp_path: Path, sqlite_template: Path) -> Iterator[SqlStore]:
    """An empty database, as after moving only the files to another machine."""
    shutil.copy(sqlite_template, tmp_path / "elsewhere.db")
    store = SqlStore.open(f"sqlite:///{tmp_path / 'elsewhere.db'}")
    yield store
    store.close()


def test_the_shipped_prompt_is_adopted_as_it_is(parts: Parts, admin: Actor, folder: Path) -> None:
    before = bodies(SHIPPED)
    pointer, version = live(parts)
    assert (version.name, version.number, version.status, pointer.revision) == ("v1.0.0", 1, "released", 0)
    assert reconcile(parts) == ()
    assert bodies(folder) == before
    (move,) = history(parts, admin, DEFAULT_KEY)
    assert (move.action, move.to_version, move.actor) == ("prompt.adopted", "v1.0.0", "Palate")
    adopt(parts, admin.project_id)
    assert len(history(parts, admin, DEFAULT_KEY)) == 1


def test_all_that_was_published_can_be_adopted_by_another_database(
    parts: Parts, admin: Actor, folder: Path, elsewhere: SqlStore
) -> None:
    for revision in range(3):
        promote(parts, admin, DEFAULT_KEY, candidate(parts).id, revision)
    roll_back(parts, admin, DEFAULT_KEY, 3)
    add_prompt(folder, "text-short")
    before = bodies(folder)
    there = make_parts(elsewhere, Folder(folder))
    actor = make_project(elsewhere)
    adopt(there, actor.project_id)
    reconcile(there)
    after = bodies(folder)
    meta = "versions/current.meta.json"
    assert {path: body for path, body in after.items() if path != meta} == {
        path: body for path, body in before.items() if path != meta
    }
    check_files(there, folder)
    with elsewhere.read() as tx:
        rows = tx.versions.all(prompt_key=DEFAULT_KEY)
        assert {prompt.key for prompt in tx.prompts.all()} == {DEFAULT_KEY, "text-short"}
    names = {row.id: row.name for row in rows}
    assert [row.name for row in rows] == ["v1.0.0", "v1.1.0", "v1.2.0", "v1.3.0"]
    assert [[names[parent] for parent in row.parents] for row in rows] == [[], ["v1.0.0"], ["v1.1.0"], ["v1.2.0"]]
    assert [row.number for row in rows] == [1, 2, 3, 4]
    assert live(there)[1].name == "v1.2.0"


def test_a_parent_without_a_file_was_withdrawn_and_its_name_stays_taken(
    parts: Parts, admin: Actor, folder: Path, elsewhere: SqlStore
) -> None:
    first = promote(parts, admin, DEFAULT_KEY, candidate(parts).id, 0).version
    promote(parts, admin, DEFAULT_KEY, candidate(parts).id, 1)
    withdraw(parts, admin, first.id)
    there = make_parts(elsewhere, Folder(folder))
    actor = make_project(elsewhere)
    adopt(there, actor.project_id)
    reconcile(there)
    with elsewhere.read() as tx:
        assert [(line.name, line.status) for line in tx.of_prompts.lines(DEFAULT_KEY)] == [
            ("v1.0.0", "released"),
            ("v1.1.0", "withdrawn"),
            ("v1.2.0", "released"),
        ]
    assert promote(there, actor, DEFAULT_KEY, candidate(there).id, 0).version.name == "v1.3.0"


def _signed(document: dict[str, object]) -> VersionFile:
    return from_bytes(json.dumps({**document, "sha256": content_hash(document)}).encode())


def _write(folder: Path, path: str, body: str | bytes) -> None:
    target = folder / "versions" / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(body.encode() if isinstance(body, str) else body)


def _released(folder: Path, name: str, **changes: object) -> bytes:
    """Write a version that is whole, and return its bytes."""
    document = json.loads((SHIPPED / "versions" / "v1.0.0.json").read_bytes())
    body = to_bytes(_signed({**document, "version": name, **changes}))
    _write(folder, f"{name}.json", body)
    return body


def _text(folder: Path, path: str) -> str:
    return (folder / "versions" / path).read_text()


MISMATCHES: dict[str, tuple[Spoil, str]] = {
    "no current": (lambda at: (at / "versions/current.json").unlink(), r"current\.json is missing .* copy the version"),
    "nothing": (lambda at: shutil.rmtree(at / "versions"), r"current\.json is missing .* version control"),
    "current is no json": (lambda at: _write(at, "current.json", "{"), r"current\.json .* not JSON .* restore it"),
    "current is empty": (lambda at: _write(at, "current.json", ""), r"current\.json .* not JSON .* restore it"),
    "current has another hash": (
        lambda at: _write(at, "current.json", _text(at, "current.json").replace("Enhance", "Improve")),
        r"current\.json .* does not match its sha256.* restore it",
    ),
    "current is not released": (
        lambda at: (at / "versions/v1.0.0.json").unlink(),
        r"current\.json .* not a copy of a released version",
    ),
    "current differs from its version": (
        lambda at: _write(at, "current.json", _edited(at)),
        r"current\.json .* not a copy of a released version",
    ),
    "current in another form": (
        lambda at: _write(at, "current.json", json.dumps(json.loads(_text(at, "current.json")))),
        r"current\.json .* not a copy of a released version",
    ),
    "a version is no json": (lambda at: _write(at, "v1.1.0.json", "[1,"), r"v1\.1\.0\.json .* not JSON"),
    "a version is a list": (lambda at: _write(at, "v1.1.0.json", "[1]"), r"v1\.1\.0\.json .* not a JSON object"),
    "a version has another hash": (
        lambda at: _write(at, "v1.1.0.json", _released(at, "v1.1.0").replace(b"local", b"other")),
        r"v1\.1\.0\.json .* does not match its sha256",
    ),
    "a version has another name": (
        lambda at: _write(at, "v1.1.0.json", _text(at, "v1.0.0.json")),
        r"v1\.1\.0\.json holds v1\.0\.0",
    ),
    "a version in another form": (
        lambda at: _write(at, "v1.1.0.json", json.dumps(json.loads(_released(at, "v1.1.0")))),
        r"v1\.1\.0\.json .* not in the form that Palate writes",
    ),
    "a version has a field more": (
        lambda at: _write(at, "v1.1.0.json", json.dumps(_more(json.loads(_released(at, "v1.1.0"))), indent=2) + "\n"),
        r"v1\.1\.0\.json .* not in the form that Palate writes",
    ),
    "a newer schema": (
        lambda at: _write(at, "v1.1.0.json", json.dumps({**json.loads(_released(at, "v1.1.0")), "schema_version": 2})),
        r"v1\.1\.0\.json .* schema_version 2, and this Palate reads 1",
    ),
    "a version that is too long": (
        lambda at: _write(at, "v1.1.0.json", _unchecked(at, components={"local": {"prompt": "x" * 20_001}})),
        r"v1\.1\.0\.json .* components\.local\.prompt",
    ),
    "a version of another prompt": (
        lambda at: _write(at, "v1.1.0.json", _released(at, "v1.1.0", prompt_key="other")),
        r"v1\.1\.0\.json .* of the prompt other",
    ),
    "a parent that is newer": (
        lambda at: _released(at, "v1.1.0", parents=["v1.2.0"]),
        r"v1\.1\.0\.json .* parent that is not older",
    ),
    "a name that is none": (lambda at: _write(at, "v2.json", "{}"), r"versions/v2\.json .* no file of Palate's; move"),
    "a file that is none of ours": (lambda at: _write(at, "notes.json", "{}"), r"notes\.json .* move it"),
    "a folder that is no key": (lambda at: _write(at, "My Prompt/v1.0.0.json", "{}"), r"My Prompt/v1\.0\.0\.json"),
    "a folder too deep": (lambda at: _write(at, "a/b/v1.0.0.json", "{}"), r"a/b/v1\.0\.0\.json"),
    "the default prompt in a folder": (
        lambda at: _write(at, "photo-enhance/v1.0.0.json", _text(at, "v1.0.0.json")),
        r"photo-enhance/v1\.0\.0\.json",
    ),
    "another prompt without current": (
        lambda at: (add_prompt(at, "other") / "current.json").unlink(),
        r"versions/other/current\.json is missing",
    ),
}


def _edited(folder: Path) -> bytes:
    """Return the bytes of a v1.0.0 that is whole and another one than the one released."""
    body = _released(folder, "v1.0.0", changelog="Other.")
    shutil.copy(SHIPPED / "versions" / "v1.0.0.json", folder / "versions" / "v1.0.0.json")
    return body


def _more(document: dict[str, object]) -> dict[str, object]:
    more = {**document, "mood": "calm"}
    return {**more, "sha256": content_hash(more)}


def _unchecked(folder: Path, **changes: object) -> str:
    document = {**json.loads(_text(folder, "v1.0.0.json")), "version": "v1.1.0", **changes}
    return json.dumps({**document, "sha256": content_hash(document)})


@pytest.mark.parametrize(("spoil", "told"), MISMATCHES.values(), ids=MISMATCHES)
def test_a_mismatch_is_refused_and_says_what_to_do(
    elsewhere: SqlStore, tmp_path: Path, spoil: Spoil, told: str
) -> None:
    shutil.copytree(SHIPPED, tmp_path / "found")
    spoil(tmp_path / "found")
    before = bodies(tmp_path / "found")
    actor = make_project(elsewhere)
    with pytest.raises(Conflict, match=told):
        adopt(make_parts(elsewhere, Folder(tmp_path / "found")), actor.project_id)
    assert bodies(tmp_path / "found") == before
    with elsewhere.read() as tx:
        assert tx.prompts.all() == ()


def test_what_is_no_json_is_nobodys_business(store: SqlStore, tmp_path: Path) -> None:
    shutil.copytree(SHIPPED / "versions", tmp_path / "shipped" / "versions")
    (tmp_path / "shipped" / "versions" / "README.md").write_text("What lies here.")
    actor = make_project(store)
    parts = make_parts(store, Folder(tmp_path / "shipped"))
    adopt(parts, actor.project_id)
    assert reconcile(parts) == ()
