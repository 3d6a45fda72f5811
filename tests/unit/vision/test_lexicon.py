"""What phrases ask for, with their modifiers, and that the table is whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_service.contract import FloatParameter
from web.adapters.generators.lexicon import LEXICON, MODIFIERS, Entry, shifts
from web.adapters.generators.local import SPACE


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


@pytest.mark.parametrize("entry", LEXICON, ids=lambda entry: entry.phrases[0])
def test_each_entry_moves_numbers_of_the_space_by_less_than_their_range(entry: Entry) -> None:
    assert entry.says.endswith(".")
    for name, amount in entry.shifts.items():
        parameter = SPACE.parameters[name]
        assert isinstance(parameter, FloatParameter)
        assert 0 < abs(amount) < (parameter.high - parameter.low) / 2
    for phrase in entry.phrases:
        assert set(shifts({"prompt": phrase})) == set(entry.shifts)


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    assert set(shifts({"prompt": text, "negative_prompt": text})) <= set(SPACE.parameters)
