from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_service.errors import InvalidRequest
from tests.scanning import SCANNER
from web.adapters.generators.lexicon import shifts
from web.domain.evolution.edits import apply
from web.domain.evolution.evolver import complaints, reflect
from web.domain.evolution.pareto import Mate
from web.domain.evolution.reflection import Draft, Example, Reflection
from web.domain.evolution.remedies import REMEDIES, asks_for, heard
from web.domain.prompts.gates import Gauge, first_rejection
from web.domain.prompts.prompt import PromptVersion, Variable
from web.domain.studies.guide import TAGS

PARENT = PromptVersion(
    "id", "photo", 1, "v1.0.0",
    {"local": {"prompt": "Enhance this photo of {{subject}}, and change no more than it needs.",
               "negative_prompt": "artefacts, added objects, watermarks"}},
    datetime(2026, 3, 1, tzinfo=UTC), "test", variables={"subject": Variable(default="a scene")},
)  # fmt: skip

HELPS: dict[str, dict[str, int]] = {
    "too_dark": {"exposure": 1, "gamma": 1},
    "too_bright": {"exposure": -1, "gamma": -1},
    "colour": {"saturation": -1},
    "too_warm": {"temperature": -1},
    "too_cool": {"temperature": 1},
    "garish": {"saturation": -1},
    "dull": {"saturation": 1},
    "over_sharp": {"sharpness": -1},
    "blurry": {"sharpness": 1},
    "noisy": {"denoise": 1},
    "hazy": {"dehaze": 1, "contrast": 1},
    "artificial": {"sharpness": -1, "clahe_clip": -1, "saturation": -1},
}
SENTENCES = [(name, text) for name, remedy in REMEDIES.items() for text in remedy.adds]
CAUSES = [(name, word) for name, remedy in REMEDIES.items() for word in remedy.causes]


OF_MANY = ("colour", "artificial")  # of which every strong colour or structure is a cause


def ways(name: str, text: str) -> list[float]:
    """Return how far a text moves each parameter that helps against a complaint, the right way being up."""
    moved = shifts({"prompt": text})
    return [moved.get(parameter, 0) * way for parameter, way in HELPS[name].items()]


def test_each_sentence_moves_the_right_parameter_the_right_way() -> None:
    gone = {(name, text): ways(name, f"Enhance this photo of a scene. {text}") for name, text in SENTENCES}
    assert {which: way for which, way in gone.items() if min(way) < 0 or max(way) <= 0} == {}


def test_what_is_taken_out_moved_a_parameter_the_wrong_way() -> None:
    assert [word for _, word in CAUSES if not shifts({"prompt": f"Make it {word}."})] == []  # the generator knows all
    gone = {(name, word): ways(name, f"Make it {word}.") for name, word in CAUSES}
    blamed = {which: way for which, way in gone.items() if which[0] not in OF_MANY}
    assert {which: way for which, way in blamed.items() if min(way) >= 0} == {}


def test_every_tag_has_a_remedy_and_every_remedy_a_known_opposite() -> None:
    assert set(TAGS) <= set(REMEDIES) == set(HELPS)
    assert {remedy.opposite for remedy in REMEDIES.values()} <= {"", *REMEDIES}
    assert all(REMEDIES[one.opposite].opposite == name for name, one in REMEDIES.items() if one.opposite)


@pytest.mark.parametrize(
    ("comment", "named"),
    [
        ("Way too dark!", {"too_dark"}),
        ("It isn't dark at all", set()),
        ("no halos, but the sky looks fake", {"artificial"}),
        ("a yellow cast", {"too_warm", "colour"}),
        ("lovely", set()),
        ("", set()),
    ],
)
def test_words_of_comments_name_complaints(comment: str, named: set[str]) -> None:
    assert heard(comment) == named


def test_a_sentence_that_turns_a_word_round_does_not_ask_for_it() -> None:
    assert asks_for("Make it moody.", "too_dark")
    assert not asks_for("Avoid dark corners.", "too_dark")
    assert not asks_for("Make it darkish.", "too_dark")


def example(id: str = "e1", score: float = 1, *tags: str, comment: str = "", generator: str = "local") -> Example:
    return Example(id, score, generator, tags, (comment,) if comment else ())


def test_tags_weigh_more_than_words_and_bad_scores_more_than_good_ones() -> None:
    found = complaints([
        example("a", 2, "hazy"), example("b", 2, comment="dark"), example("c", 1, "noisy"), example("d", 5, "blurry"),
    ])  # fmt: skip
    assert [(one.name, one.examples) for one in found] == [
        ("noisy", ("c",)), ("hazy", ("a",)), ("too_dark", ("b",)), ("blurry", ("d",)),
    ]  # fmt: skip


def made(parent: PromptVersion, draft: Draft) -> PromptVersion:
    return replace(parent, name=None, components=apply(parent, draft.edits), changelog=draft.changelog)


def by_operator(found: Reflection) -> dict[str, str]:
    return {one.operator: made(PARENT, one).components["local"]["prompt"] for one in found.candidates}


def test_it_answers_with_a_fix_a_shorter_prompt_and_something_else_and_says_that_it_is_a_script() -> None:
    found = reflect([example("e1", 1, "too_dark"), example("e2", 2, "too_dark", "hazy")], Gauge(PARENT, SCANNER), 7)
    texts = by_operator(found)
    assert list(texts) == ["targeted", "simplify", "explore"]
    assert texts["targeted"] == PARENT.components["local"]["prompt"] + " Lift the shadows."
    assert texts["simplify"] == "Enhance this photo of {{subject}}."
    assert texts["explore"] not in (texts["targeted"], PARENT.components["local"]["prompt"])
    assert found.diagnosis[0].says.startswith("A script, not a model")
    assert "too dark, in 2 of 2 examples" in found.diagnosis[0].says
    assert found.diagnosis[0].evidence == ("e1", "e2")
    assert all("(script)" in one.changelog for one in found.candidates)


def test_it_answers_the_same_for_the_same_seed_and_explores_otherwise_for_another() -> None:
    shown = [example("e1", 1, "noisy")]
    assert reflect(shown, Gauge(PARENT, SCANNER), 3) == reflect(shown, Gauge(PARENT, SCANNER), 3)
    assert len({by_operator(reflect(shown, Gauge(PARENT, SCANNER), seed))["explore"] for seed in range(12)}) > 4


def test_what_causes_the_complaint_is_replaced_or_taken_out() -> None:
    moody = replace(PARENT, components={"local": {"prompt": "Enhance {{subject}}. Make it moody. Keep it natural."}})
    found = reflect([example("e1", 1, "too_dark")], Gauge(moody, SCANNER), 1)
    targeted, simplify = (found.candidates[number].edits[0] for number in (0, 1))
    assert (targeted.kind, targeted.quote, targeted.text) == ("replace", "Make it moody.", "Lift the shadows.")
    assert (simplify.kind, simplify.quote) == ("remove", "Make it moody.")


def test_it_never_explores_the_opposite_of_what_is_complained_of() -> None:
    for seed in range(20):
        texts = by_operator(reflect([example("e1", 1, "too_dark")], Gauge(PARENT, SCANNER), seed))
        assert not any(text in texts["explore"] for text in REMEDIES["too_bright"].adds)


def test_candidates_of_one_answer_differ() -> None:
    tried = [f"{PARENT.components['local']['prompt']} {text}" for text in REMEDIES["too_dark"].adds]
    before = tuple(replace(PARENT, components={"local": PARENT.components["local"] | {"prompt": one}}) for one in tried)
    shown = [example("e1", 1, "too_dark"), example("e2", 3, "noisy")]
    for seed in range(40):
        texts = by_operator(reflect(shown, Gauge(PARENT, SCANNER, before), seed))
        assert texts["targeted"].endswith("Reduce noise.")
        assert texts["explore"] != texts["targeted"]


def test_an_operator_asked_for_twice_makes_two_that_differ_and_one_not_asked_for_none() -> None:
    shown = [example("e1", 1, "too_dark"), example("e2", 3, "noisy")]
    found = reflect(shown, Gauge(PARENT, SCANNER), 3, ("targeted", "explore", "targeted"))
    assert [one.operator for one in found.candidates] == ["targeted", "explore", "targeted"]
    assert len({made(PARENT, one).components["local"]["prompt"] for one in found.candidates}) == 3


def test_a_merge_takes_the_text_of_each_generator_from_the_version_that_leads_there() -> None:
    parent = replace(PARENT, components={"one": {"prompt": "Enhance {{subject}}."}, "two": {"prompt": "Enhance it."}})
    other = {"one": {"prompt": "Enhance {{subject}}. Reduce noise."}, "two": {"prompt": "Enhance it. Less haze."}}
    mate = Mate(replace(parent, id="other", name="v1.4.0", components=other), frozenset({"two"}))
    shown = [example("e1", 2, generator="one"), example("e2", 2, generator="two")]
    (draft,) = reflect(shown, Gauge(parent, SCANNER), 1, ("merge",), mate).candidates
    assert (draft.operator, "v1.4.0" in draft.changelog) == ("merge", True)
    assert made(parent, draft).components == {"one": parent.components["one"], "two": other["two"]}


def test_a_merge_says_what_both_say_where_one_version_leads_all_or_that_was_there_before() -> None:
    said = {"local": PARENT.components["local"] | {"prompt": "Enhance {{subject}}. Reduce noise. Keep it natural."}}
    mate = Mate(replace(PARENT, id="other", components=said), frozenset({"local"}))
    gauge = Gauge(PARENT, SCANNER, before=(mate.version,))
    (draft,) = reflect([example()], gauge, 1, ("merge",), mate).candidates
    assert made(PARENT, draft).components["local"]["prompt"] == (
        f"{PARENT.components['local']['prompt']} Reduce noise. Keep it natural."
    )
    with pytest.raises(InvalidRequest, match="no edit left"):
        reflect([example()], gauge, 1, ("merge",))


def test_locked_texts_stay_and_the_texts_of_other_generators_too() -> None:
    both = PARENT.components | {"leonardo": {"prompt": "Enhance."}}
    parent = replace(PARENT, components=both, slots_locked=("local.prompt",))
    edits = [
        edit
        for one in reflect([example("e1", 1, "too_dark")], Gauge(parent, SCANNER), 1).candidates
        for edit in one.edits
    ]
    assert {edit.slot for edit in edits} == {"local.negative_prompt"}
    locked = replace(parent, slots_locked=("local.prompt", "local.negative_prompt"))
    with pytest.raises(InvalidRequest, match="no edit left"):
        reflect([example("e1", 1, "too_dark")], Gauge(locked, SCANNER), 1)


@given(
    st.lists(
        st.builds(
            lambda score, tags, comment: Example("e", score, "local", tuple(tags), (comment,)),
            st.integers(1, 5),
            st.lists(st.sampled_from(list(TAGS)), max_size=3, unique=True),
            st.sampled_from(["", "too dark", "yellow", "garish", "lift the shadows so it is brighter", "ignore"]),
        ),
        min_size=1,
        max_size=6,
    ),
    st.integers(0, 99),
)
@settings(max_examples=8, deadline=None)
def test_generation_after_generation_is_new_and_passes_every_gate(examples: list[Example], seed: int) -> None:
    parent, before = PARENT, [PARENT]
    said = tuple(comment for one in examples for comment in one.comments)
    for generation in range(4):
        gauge = Gauge(parent, SCANNER, tuple(before), comments=said)
        found = reflect(examples, gauge, seed + generation)
        assert len({one.operator for one in found.candidates}) == len(found.candidates) > 0
        for draft in found.candidates:
            candidate = made(parent, draft)
            assert first_rejection(candidate, replace(gauge, before=tuple(before))) is None
            before.append(candidate)
        parent = replace(before[-1], name=f"v1.{generation + 1}.0")
