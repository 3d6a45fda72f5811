"""Plugins from outside: the one that the documentation shows, and those that stop a start."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ml_service.errors import InvalidRequest
from tests.clock import FixedClock
from tests.world import World, make_world
from web.__main__ import main
from web.adapters.database.store import SqlStore
from web.adapters.scanners.scanner import PluginScanner
from web.domain.prompts.hostile import Finding, cleaned, findings
from web.hooks import generators_of, load
from web.parts import BUILT_IN, build_parts
from web.services.prompts import drafts, pointers
from web.services.prompts.drafts import Draft
from web.settings import Settings

HOOKED = "from web.hooks import implements\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)


def written(folder: Path, name: str, code: str) -> str:
    (folder / f"{name}.py").write_text(code)
    return name


@pytest.fixture
def rules(tmp_path: Path) -> str:
    """The plugin that the documentation shows."""
    shown = re.search(r"```python\n(.*?)```", Path("docs/plugins.md").read_text(), re.DOTALL)
    assert shown is not None
    return written(tmp_path, "our_rules", shown[1])


@pytest.fixture
def world(store: SqlStore, clock: FixedClock, tmp_path: Path) -> World:
    return make_world(store, clock, tmp_path, inputs=1)


def test_a_scanner_from_outside_refuses_a_candidate_with_its_reason(world: World, rules: str, tmp_path: Path) -> None:
    parts = build_parts(Settings(_env_file=None, data_dir=tmp_path / "data", plugins=(rules,)))
    world.parts = replace(world.parts, scanner=parts.scanner)
    with world.parts.store.read() as tx:
        live = pointers.live_version(tx, world.study.prompt_key)
    texts = {**live.components["local"], "prompt": f"{live.components['local']['prompt']} As bright as Globex."}
    with pytest.raises(InvalidRequest, match=r"It holds a competitor's name: “Globex”\. \(safety\)"):
        drafts.draft(world.parts, world.admin, world.study.prompt_key, Draft("Brighter.", components={"local": texts}))


def test_what_it_finds_stands_beside_what_is_known(rules: str) -> None:
    scanner = PluginScanner(load((*BUILT_IN, rules)))
    text = "Globex, +49 30 901820, acme.com"
    assert findings(text, scanner) == (
        Finding("unsafe", 0, 6, "a competitor's name"),
        Finding("personal", 8, 21),
        Finding("link", 23, 31),
    )
    assert cleaned("Dark, not like ACME", scanner).text == ""


def test_a_generator_from_outside_stands_beside_the_local_one(tmp_path: Path) -> None:
    code = f"""{HOOKED}
from web.adapters.generators.atonce import AtOnce
from web.adapters.generators.local import LocalGenerator

class Other(LocalGenerator):
    name = "other"

@implements
def generators():
    return [AtOnce(Other())]
"""
    assert list(generators_of(load((*BUILT_IN, written(tmp_path, "another", code))))) == ["local", "other"]
    same = written(tmp_path, "same", code.replace('"other"', '"local"'))
    with pytest.raises(InvalidRequest, match="same name"):
        generators_of(load((*BUILT_IN, same)))


REFUSED = {
    "absent": ("", r"absent_plugin cannot be loaded: No module named 'absent_plugin'"),
    "lacking": ("import no_such_library", r"No module named 'no_such_library'"),
    "unknown": (f"{HOOKED}\n@implements\ndef scna(text): return []", r"unknown hook 'scna' in plugin"),
    "greedy": (f"{HOOKED}\n@implements\ndef scan(text, parts): return []", r"scan.*parts"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_plugin_that_cannot_be_used_stops_the_start(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, told = REFUSED[name]
    plugin = written(tmp_path, f"{name}_plugin", code) if code else f"{name}_plugin"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PLUGINS", plugin)
    assert main(["work"]) == 1
    assert re.search(told, capsys.readouterr().err, re.DOTALL)
    assert not (tmp_path / "data").exists()


def test_the_doctor_says_which_plugin_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PLUGINS", "absent_plugin")
    assert main(["doctor"]) == 1
    assert "fail  parts: PLUGINS: absent_plugin cannot be loaded" in capsys.readouterr().out


def test_a_start_loads_no_scanner_library(tmp_path: Path) -> None:
    look = (
        "import sys; from web.parts import build_parts; from web.settings import Settings;"
        f"build_parts(Settings(_env_file=None, data_dir={str(tmp_path)!r}));"
        "print(sorted({'detect_secrets', 'phonenumbers', 'rapidfuzz', 'requests'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() == "[]"
