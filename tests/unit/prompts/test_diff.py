from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from web.domain.prompts.diff import compare, pieces
from web.domain.prompts.prompt import PromptVersion, Variable

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def told(old: str, new: str) -> list[tuple[str, str]]:
    return [(piece.kind, piece.text) for piece in pieces(old, new)]


def version(**more: object) -> PromptVersion:
    return PromptVersion("id", "photo", 1, "v1.0.0", created_at=NOW, created_by="test", **more)  # type: ignore[arg-type]


def test_equal_texts_are_one_piece() -> None:
    assert told("Keep it.", "Keep it.") == [("same", "Keep it.")]


def test_a_word_that_changed_stands_between_what_stayed() -> None:
    assert told("Make it warmer, please.", "Make it cooler, please.") == [
        ("same", "Make it "),
        ("removed", "warmer"),
        ("added", "cooler"),
        ("same", ", please."),
    ]


def test_a_variable_is_one_word() -> None:
    assert told("of {{subject}} now", "of {{object}} now") == [
        ("same", "of "),
        ("removed", "{{subject}} "),
        ("added", "{{object}} "),
        ("same", "now"),
    ]


def test_a_tag_of_a_template_is_one_word() -> None:
    assert told("{{ subject }} {% if a %}x{% endif %}", "{{ subject }} {% if b %}x{% endif %}") == [
        ("same", "{{ subject }} "),
        ("removed", "{% if a %}"),
        ("added", "{% if b %}"),
        ("same", "x{% endif %}"),
    ]


def test_texts_too_long_for_words_are_compared_by_lines() -> None:
    long = "".join(f"line {number} of many words that nobody reads\n" for number in range(500))
    kinds = [(kind, text.count("\n")) for kind, text in told(long, long.replace("line 7 ", "line seven "))]
    assert kinds == [("same", 7), ("removed", 1), ("added", 1), ("same", 492)]


@given(old=st.text("ab {}\n.", max_size=60), new=st.text("ab {}\n.", max_size=60))
def test_both_texts_can_be_read_back_from_the_pieces(old: str, new: str) -> None:
    found = pieces(old, new)
    assert "".join(piece.text for piece in found if piece.kind != "added") == old
    assert "".join(piece.text for piece in found if piece.kind != "removed") == new


def test_versions_are_compared_whole() -> None:
    old = version(
        components={"local": {"prompt": "one", "negative_prompt": "x"}},
        variables={"subject": Variable(default="a scene")},
        parameter_defaults={"local": {"exposure": 0.1, "contrast": 1.2}},
    )
    new = version(
        components={"local": {"prompt": "two", "style": "y"}},
        variables={"subject": Variable(default="a room")},
        parameter_defaults={"local": {"exposure": 0.1, "gamma": 1.1}},
    )
    found = compare(old, new)
    assert [(one.slot, one.old, one.new) for one in found.texts] == [
        ("prompt", "one", "two"),
        ("style", None, "y"),
        ("negative_prompt", "x", None),
    ]
    assert [(one.name, one.old, one.new, one.is_changed) for one in found.parameters] == [
        ("exposure", 0.1, 0.1, False),
        ("gamma", None, 1.1, True),
        ("contrast", 1.2, None, True),
    ]
    assert [one.is_changed for one in found.variables] == [True]
