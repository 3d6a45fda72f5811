"""`abtests` and `evolve` as somebody at the terminal of the server runs them."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Run
from web.domain.abtests.abtest import Decision
from web.domain.ids import new_id
from web.domain.prompts.prompt import PromptVersion
from web.domain.studies.study import Study
from web.ports.parts import Parts
from web.services.prompts import pointers
from web.settings import load_settings

KEY = "photo-enhance"


pytestmark = pytest.mark.usefixtures("here")


@pytest.fixture
def version(here: Parts, study: Study) -> PromptVersion:
    """A candidate that asks for more light than what is live."""
    with here.store.begin() as tx:
        parent = pointers.live_version(tx, study.prompt_key)
        texts = {"local": parent.components["local"] | {"prompt": "Enhance this photo of {{subject}}: brighter."}}
        fresh = {"id": new_id(), "number": 2, "name": None, "status": "candidate", "sha256": "", "revision": 0}
        return tx.versions.add(replace(parent, components=texts, parents=(parent.id,), **fresh))  # type: ignore[arg-type]


def opened(run: Run, version: PromptVersion, *more: object) -> str:
    """Open a test and return its id."""
    code, said, _ = run("abtests", "open", version.id, "--study", "Photos", *more, "--json")
    assert code == 0
    return str(json.loads(said)["id"])


def listed(run: Run, *more: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in run("abtests", "list", *more, "--json")[1].splitlines()]


def won(here: Parts, test_id: str) -> None:
    """Let the challenger of a test have won."""
    with here.store.begin() as tx:
        test = tx.of_ab_tests.lock(test_id)
        now = here.clock.now()
        tx.ab_tests.replace(test.decided(Decision("promote", test.challengers[0], ()), now))


def live_id(here: Parts, study: Study) -> str:
    with here.store.read() as tx:
        return pointers.live_version(tx, study.prompt_key).id


def test_a_test_is_opened_with_what_was_asked_for_and_says_how_long_it_takes(
    run: Run, here: Parts, version: PromptVersion
) -> None:
    asked = ("--hypothesis", "Light sells.", "--policy", "manual", "--pairs", "60")
    code, said, _ = run("abtests", "open", version.id, "--study", "Photos", *asked)
    assert code == 0
    assert "is running. A gain of half a star takes about" in said
    assert "nobody rates now" in said
    with here.store.read() as tx:
        (test,) = tx.ab_tests.all()
    assert (test.challengers, test.hypothesis, test.policy) == ((version.id,), "Light sells.", "manual")
    assert (test.design.most_pairs, test.opened_by) == (60, None)
    assert test.id in said


def test_tests_are_listed_and_shown_in_words_and_in_json(run: Run, version: PromptVersion) -> None:
    test_id = opened(run, version)
    (row,) = listed(run)
    expected = {"id": test_id, "prompt": KEY, "kind": "challenge", "state": "running", "champion": "v1.0.0", "pairs": 0}
    assert {name: row[name] for name in expected} == expected
    assert listed(run, "--key", "another") == []
    assert test_id in run("abtests", "list")[1]
    shown = [json.loads(line) for line in run("abtests", "show", test_id, "--json")[1].splitlines()]
    assert [(one["pairs"], one["gain"], one["evidence"]) for one in shown] == [(0, "+0.00", "1 of 20")]


def test_two_versions_are_compared_and_nothing_goes_live(run: Run, here: Parts, version: PromptVersion) -> None:
    with here.store.begin() as tx:
        texts = {"local": version.components["local"] | {"prompt": "Enhance this photo of {{subject}}: cooler."}}
        other = tx.versions.add(replace(version, id=new_id(), number=3, components=texts))
    code, said, _ = run("abtests", "open", version.id, "--study", "Photos", "--against", other.id)
    assert (code, said.rstrip().endswith("Nothing goes live by it.")) == (0, True)
    assert "of candidate 2 against candidate 3 is running" in said
    (row,) = listed(run)
    assert (row["kind"], row["champion"], row["challengers"]) == ("comparison", "candidate 3", "candidate 2")
    code, _, complained = run("abtests", "open", version.id, "--study", "Photos", "--against", "v9.9.9")
    assert (code, "There is no version v9.9.9" in complained) == (1, True)


def test_a_test_is_paused_resumed_and_stopped(run: Run, version: PromptVersion) -> None:
    test_id = opened(run, version)
    for action, state in (("pause", "paused"), ("resume", "running"), ("stop", "stopped"), ("stop", "stopped")):
        code, said, _ = run("abtests", action, test_id)
        assert (code, f"is {state}." in said) == (0, True)
    code, _, complained = run("abtests", "resume", test_id)
    assert (code, "is stopped already" in complained) == (1, True)


def test_a_winner_goes_live_once_the_key_is_typed(run: Run, here: Parts, study: Study, version: PromptVersion) -> None:
    test_id, before = opened(run, version, "--policy", "manual"), live_id(here, study)
    assert "has no winner" in run("abtests", "approve", test_id, "--confirm", KEY)[2]
    won(here, test_id)
    assert listed(run)[0]["state"] == "waits for approval"
    code, _, complained = run("abtests", "approve", test_id, "--confirm", "yes")
    assert (code, f"Type the prompt's key, {KEY}" in complained, live_id(here, study)) == (1, True, before)
    code, said, _ = run("abtests", "approve", test_id, "--confirm", KEY, "--note", "bright enough")
    assert (code, "is decided" in said, live_id(here, study)) == (0, True, version.id)
    assert {row["kind"] for row in listed(run)} == {"challenge", "hold_back"}
    assert (
        json.loads((Path(str(load_settings().prompts_dir)) / "versions" / "current.json").read_text())["version"]
        == "v1.1.0"
    )


def test_a_winner_that_is_declined_stays_out(run: Run, here: Parts, study: Study, version: PromptVersion) -> None:
    test_id, before = opened(run, version, "--policy", "manual"), live_id(here, study)
    assert run("abtests", "decline", test_id)[0] == 1
    won(here, test_id)
    code, said, _ = run("abtests", "decline", test_id, "--note", "not now")
    assert (code, "is stopped" in said, live_id(here, study)) == (0, True, before)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("open",), "Name versions and a study"),
        (("open", "v1.0.0"), "Name versions and a study"),
        (("open", "v9.9.9", "--study", "Photos"), "There is no version v9.9.9"),
        (("open", "v1.0.0", "--study", "Photos"), "says the same as what is live"),
        (("open", "v1.0.0", "--study", "Photos", "--pairs", "3"), "least before most"),
        (("open", "v1.0.0", "--study", "Nobody's"), "There are: Photos"),
        (("show",), "Say which one"),
        (("stop", "one", "two"), "Say which one"),
        (("pause", "nothing"), "There is no A/B test nothing"),
    ],
)
def test_what_cannot_be_done_is_said_with_exit_code_1(
    words: tuple[str, ...], says: str, run: Run, study: Study
) -> None:
    code, said, complained = run("abtests", *words)
    assert (code, said) == (1, "")
    assert says in complained


def test_a_round_is_asked_for_at_the_terminal_and_its_cost_is_said_before(run: Run, here: Parts, study: Study) -> None:
    assert run("evolve", "Photos", "--cost")[:2] == (0, "A round costs $0.00 at most.\n")
    code, said, _ = run("evolve", "Photos", "--json")
    told = json.loads(said)
    assert (code, told["state"], told["prompt"], told["cost_micros"]) == (0, "waiting", KEY, 0)
    with here.store.read() as tx:
        assert [one.id for one in tx.rounds.all(study_id=study.id)] == [told["round"]]
    code, _, complained = run("evolve", "Photos")
    assert (code, told["round"] in complained) == (1, True)
