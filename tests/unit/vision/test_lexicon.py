"""What phrases ask for, with their modifiers, and that the table is whole."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_service.wire.contract import FloatParameter
from web.adapters.generators.lexicon import LEXICON, MODIFIERS, shifts, weights
from web.adapters.generators.local import SPACE, obey

PHRASES = [(entry, phrase) for entry in LEXICON for phrase in entry.phrases]

# What a reader expects: the parameter, and whether the phrase raises it.
EXPECTED = {
    "warmer": ("temperature", True),
    "cooler": ("temperature", False),
    "brighter": ("exposure", True),
    "moody": ("exposure", False),
    "lift the shadows": ("gamma", True),
    "rich blacks": ("gamma", False),
    "punchy": ("contrast", True),
    "flat": ("contrast", False),
    "washed out": ("saturation", False),
    "vivid": ("saturation", True),
    "muted": ("saturation", False),
    "crisp": ("sharpness", True),
    "blurry": ("sharpness", False),
    "dreamy": ("contrast", False),
    "foggy": ("dehaze", False),
    "dehaze": ("dehaze", True),
    "noisy": ("denoise", False),
    "clean": ("denoise", True),
    "clarity": ("clahe_clip", True),
    "keep it natural": ("clahe_clip", False),
}


@pytest.mark.parametrize(
    ("text", "parameter", "amount"),
    [
        ("warmer", "temperature", 0.3),
        ("Make it Warmer!", "temperature", 0.3),
        ("slightly warmer", "temperature", 0.15),
        ("much warmer light", "temperature", 0.525),
        ("not too warm", "temperature", -0.15),
        ("less warm", "temperature", -0.3),
        ("much less warm", "temperature", -0.525),
        ("don’t make it dark", "exposure", 0.4),
        ("less sharpening", "sharpness", -0.5),
        ("remove the haze", "dehaze", 0.4),
        ("without noise", "denoise", 0.4),
        ("keep it natural", "clahe_clip", -0.5),
        ("soft light", "contrast", -0.12),
        ("low contrast", "contrast", -0.15),
        ("washed out", "saturation", -0.2),
    ],
)
def test_a_phrase_shifts_and_the_negative_prompt_shifts_back(text: str, parameter: str, amount: float) -> None:
    assert shifts({"prompt": text})[parameter] == pytest.approx(amount)
    assert shifts({"negative_prompt": text})[parameter] == pytest.approx(-amount)


def test_modifiers_end_with_their_clause() -> None:
    assert shifts({"prompt": "no people, warm"}) == {"temperature": 0.3}
    assert shifts({"prompt": "not dark and warm"}) == {"exposure": 0.4, "temperature": 0.3}


def test_or_hands_modifiers_on() -> None:
    assert shifts({"prompt": "no haze or noise"}) == {"dehaze": 0.4, "denoise": 0.4}


def test_within_a_component_the_last_word_counts() -> None:
    assert shifts({"prompt": "warm, warmer, golden"}) == {"temperature": 0.3}
    assert shifts({"prompt": "warm, but not too warm"}) == {"temperature": -0.15}


def test_other_components_and_other_words_say_nothing() -> None:
    assert shifts({"system": "vivid", "prompt": "A warmhearted sharpshooter's cottage.", "negative_prompt": ""}) == {}


def test_each_phrase_has_one_meaning() -> None:
    phrases = [phrase for entry in LEXICON for phrase in entry.phrases]
    assert len(set(phrases)) == len(phrases)
    assert not set(phrases) & set(MODIFIERS)
    assert len({entry.says for entry in LEXICON}) == len(LEXICON)


def test_each_entry_moves_numbers_of_the_space_by_less_than_their_range() -> None:
    assert [entry.phrases[0] for entry in LEXICON if not entry.says.endswith(".")] == []
    for entry in LEXICON:
        for name, amount in entry.shifts.items():
            parameter = SPACE.parameters[name]
            assert isinstance(parameter, FloatParameter)
            assert 0 < abs(amount) < (parameter.high - parameter.low) / 2, (entry.phrases[0], name)


def test_each_phrase_moves_the_point_as_its_entry_says() -> None:
    assert [(phrase, moved(phrase)) for entry, phrase in PHRASES if moved(phrase) != pytest.approx(entry.shifts)] == []


def moved(phrase: str) -> dict[str, float]:
    """Return by how much a phrase moves which numbers."""
    middle = {
        name: (parameter.low + parameter.high) / 2
        for name, parameter in SPACE.parameters.items()
        if isinstance(parameter, FloatParameter)
    }
    after = obey(middle, {"prompt": f"Make it {phrase}, please."})
    return {name: float(after[name]) - value for name, value in middle.items() if after[name] != value}


def test_phrases_point_where_a_reader_expects() -> None:
    rises = {phrase: shifts({"prompt": phrase})[name] > 0 for phrase, (name, _) in EXPECTED.items()}
    assert rises == {phrase: expected for phrase, (_, expected) in EXPECTED.items()}


def test_the_reader_was_asked_about_every_entry() -> None:
    assert {says for phrase in EXPECTED for says in weights(phrase)} == {entry.says for entry in LEXICON}


def test_shifts_stop_at_the_end_of_the_range() -> None:
    assert obey({"temperature": 1.4}, {"prompt": "extremely warm"})["temperature"] == 1.5
    assert obey({}, {"prompt": "blurry"})["sharpness"] == 0


def test_the_shipped_prompt_leaves_a_photo_alone() -> None:
    shipped = json.loads(Path("prompts/versions/v1.0.0.json").read_text())
    assert shifts(shipped["components"]["local"]) == {}


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    assert set(shifts({"prompt": text, "negative_prompt": text})) <= set(SPACE.parameters)
