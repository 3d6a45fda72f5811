"""Habits of the house that no other tool looks after."""

import ast
import json
import re
import subprocess
from collections import Counter
from collections.abc import Iterator

import pytest
from pydantic import TypeAdapter

from tests.shape.places import ROOT, modules, nodes
from web.cli.commands import COMMANDS
from web.domain.prompts.prompt import VersionFile, content_hash

FIXED = (
    "ml_service/",
    "web/",
    "prompts/versions/",
    "prompts/experiments/",
    "migrations/",
    "infra/",
    "tests/",
    "README.md",
)
MOST_LINES = 300
MOST_MODULES = 14  # in a folder: more is another room
BROAD = {"Exception", "BaseException"}


def test_no_module_is_long() -> None:
    shipped = {path: len(text.splitlines()) for path, text in modules()}
    assert {path: lines for path, lines in shipped.items() if lines > MOST_LINES} == {}


def test_nothing_that_ships_imports_tests_or_benchmarks() -> None:
    strange = re.compile(r"^\s*(from|import) (tests|benchmarks)\b", re.MULTILINE)
    assert [str(path) for path, text in modules() if strange.search(text)] == []


def test_what_the_customer_fixed_is_in_every_clone() -> None:
    kept = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    assert {place for place in FIXED if not any(path.startswith(place) for path in kept)} == set()


def test_no_folder_is_full() -> None:
    rooms = Counter(path.parent for path, _ in modules() if path.name != "__init__.py")
    assert {room: count for room, count in rooms.items() if count > MOST_MODULES} == {}


def test_only_the_worker_catches_everything() -> None:
    broad = {str(path) for path, text in modules() for node in nodes(text) if _is_broad(node)}
    assert broad == {"web/jobs/worker.py"}


def _is_broad(node: ast.AST) -> bool:
    if not isinstance(node, ast.ExceptHandler):
        return False
    caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    return any(kind is None or (isinstance(kind, ast.Name) and kind.id in BROAD) for kind in caught)


def test_nobody_tries_an_import() -> None:
    tried = [
        str(path)
        for path, text in modules()
        for node in nodes(text)
        if isinstance(node, ast.Try) and any(isinstance(step, ast.Import | ast.ImportFrom) for step in node.body)
    ]
    assert tried == []


def test_every_public_thing_says_what_it_is_in_a_sentence() -> None:
    silent = [f"{path}: {name}" for path, text in modules() for name in _silent(ast.parse(text))]
    assert silent == []


def _silent(tree: ast.Module) -> Iterator[str]:
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    for node in (node for node in tree.body if isinstance(node, kinds) and not node.name.startswith("_")):
        if not re.match(r"[^a-z].*[.!?:](\s|$)", ast.get_docstring(node) or "", re.DOTALL):
            yield node.name


def test_prompt_versions_are_whole_and_the_live_one_is_released() -> None:
    folder = ROOT / "prompts" / "versions"
    released = sorted(folder.glob("v*.json"))
    for path in released:
        document = json.loads(path.read_text())
        assert content_hash(document) == document["sha256"], path.name
        assert TypeAdapter(VersionFile).validate_python(document).version == path.stem
    assert [path.name for path in released if path.read_bytes() == (folder / "current.json").read_bytes()] != []


def _examples() -> Iterator[str]:
    for block in re.findall(r"```bash\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL):
        yield from (line for line in block.splitlines() if line and not line.startswith("#"))


def test_the_readme_has_examples() -> None:
    assert {"make run", "make test"} <= set(_examples())


@pytest.mark.parametrize("line", list(_examples()))
def test_an_example_of_the_readme_names_what_is_there(line: str) -> None:
    words = line.split()
    if words[0] == "make":
        assert re.search(rf"^{words[1]}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
        for named in (word.removeprefix("NAME=") for word in words if word.startswith("NAME=")):
            assert (ROOT / "benchmarks" / f"{named}.py").exists()
    else:
        assert words[:3] == [".venv/bin/python", "-m", "web"]
        assert words[3] in {command.name for command in COMMANDS}
