"""What can be set, called or run is documented, by the code itself."""

import re

import pytest

from ml_service.wire.contract import FloatParameter, Wire
from tests.shape.places import ROOT
from web.__main__ import documented
from web.adapters.generators.local import SPACE
from web.cli.command import every
from web.cli.commands import COMMANDS
from web.cli.operations.reference import Entry, Section, first_sentence, render, shape
from web.hooks import Hooks
from web.settings import Settings


@pytest.fixture(scope="module")
def sections() -> dict[str, Section]:
    return {section.title: section for section in documented()}


def test_the_reference_is_fresh(sections: dict[str, Section]) -> None:
    page = (ROOT / "docs" / "reference.md").read_text()
    assert page == render(list(sections.values())), "run `make reference`"


def test_everything_has_a_sentence_that_ends(sections: dict[str, Section]) -> None:
    assert [(title, entry.name) for title, section in sections.items() for entry in _wordless(section)] == []


def _wordless(section: Section) -> list[Entry]:
    return [entry for entry in section.entries if not entry.sentence.endswith(".") or " " not in entry.sentence]


def test_a_route_a_setting_a_command_or_an_error_has_a_sentence_of_its_own(sections: dict[str, Section]) -> None:
    for title in ("Commands", "Settings", "Hooks", "Errors", "Metrics", "Parameters of the local generator"):
        sentences = [entry.sentence for entry in sections[title].entries]
        assert sorted(set(sentences)) == sorted(sentences), title
    routes = {(entry.name, entry.sentence) for entry in sections["Routes"].entries}
    assert len({name for name, _ in routes}) == len(routes)


def wire_types(kind: type[Wire]) -> set[str]:
    return {name for one in kind.__subclasses__() for name in ({one.__name__} | wire_types(one))}


def test_nothing_is_left_out(sections: dict[str, Section]) -> None:
    def names(title: str) -> set[str]:
        return {entry.name for entry in sections[title].entries}

    assert names("Settings") == {name.upper() for name in Settings.model_fields}
    assert names("Hooks") == {name for name, hook in vars(Hooks).items() if hasattr(hook, "palate_spec")} != set()
    assert names("Commands") == {words for words, _ in every(COMMANDS)}
    assert names("Parameters of the local generator") == set(SPACE.parameters)
    assert names("The wire of the ML service") == wire_types(Wire)
    assert {"POST /api/train/rate", "GET /train", "GET /health/ready"} <= names("Routes")
    assert names("Routes of the ML service") == {"POST /ml/suggest", "POST /ml/diagnose", "GET /ml/health"}
    assert {"not-found", "stale-page", "storage-full"} <= names("Errors")
    assert "palate_requests_total" in names("Metrics")


def test_roles_are_told(sections: dict[str, Section]) -> None:
    role = {entry.name: entry.facts[0] for entry in sections["Routes"].entries}
    assert role["GET /health/live"] == "anyone"
    assert role["POST /api/train/rate"] == "rater"
    assert role["GET /api/v1/users"] == "admin"
    assert [entry.facts for entry in sections["Routes of the ML service"].entries] == [
        ("token",),
        ("anyone",),
        ("token",),
    ]


def test_the_first_sentence_of_a_docstring_ends_at_its_own_period() -> None:
    def documented_thing() -> None:
        """Multiply by 0.5 of
        the value: v' = 0.5·v. More is told here."""

    assert first_sentence(documented_thing) == "Multiply by 0.5 of the value: v' = 0.5·v."


def test_a_shape_is_told_in_words() -> None:
    fields = {name: shape(of) for name, of in FloatParameter.model_json_schema()["properties"].items()}
    assert fields["step"] == "number > 0 or null"
    assert fields["scale"] == "linear, log"


def test_every_example_of_the_settings_file_is_a_setting() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()
    given = {line.split("=")[0] for line in lines if line and not line.startswith("#")}
    assert given == {name.upper() for name in Settings.model_fields}


def test_every_test_that_a_page_names_is_there() -> None:
    tests = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    for page in sorted((ROOT / "docs").rglob("*.md")):
        named = set(re.findall(r"`(test_\w+)`", page.read_text()))
        assert {name for name in named if f"def {name}(" not in tests} == set(), page.name


def test_links_between_the_pages_lead_somewhere() -> None:
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for target in _links(page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def _links(text: str) -> list[str]:
    found = [part.split(")")[0] for part in text.split("](")[1:]]
    return [link.split("#")[0] for link in found if not link.startswith(("http", "#"))]
