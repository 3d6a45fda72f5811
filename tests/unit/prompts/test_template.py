import json
import re
import time
import tracemalloc
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment, StrictUndefined

from ml_service.errors import InvalidRequest
from tests.shape.places import ROOT
from web.domain.prompts.prompt import PromptVersion, Variable, from_bytes
from web.domain.prompts.template import MOST_OUTPUT, check, placeholders, render
from web.pages.drawing.prompt_view import marked

HOSTILE = [
    "{{ 9**9999999 }}",
    "{{ 9**9**9**9 }}",
    "{{ 10 * 'a' }}",
    "{{ 'a' * 999999999 }}",
    "{{ 'a' % 1 }}",
    "{{ 1 + 1 }}",
    "{{ -1 }}",
    "{{ '%0999999999d' % 1 }}",
    "{{ subject.__class__ }}",
    "{{ subject._x }}",
    "{{ subject.__class__.__mro__[1].__subclasses__() }}",
    "{{ ''.__class__ }}",
    "{{ subject['__class__'] }}",
    "{{ subject|attr('__class__') }}",
    "{{ subject.format(subject) }}",
    "{{ '{0.__class__}'.format(subject) }}",
    "{{ subject|format(subject) }}",
    "{{ subject.upper() }}",
    "{{ range(999999999) }}",
    "{% for x in range(999999999) %}{% endfor %}",
    "{% for a in subject %}{% for b in subject %}{% for c in subject %}{% endfor %}{% endfor %}{% endfor %}",
    "{% for a in [1, 2] %}{{ a }}{% endfor %}",
    "{% for a in subject recursive %}{{ loop(a) }}{% endfor %}",
    "{% for a, b in subject %}{{ a }}{% endfor %}",
    "{% for a in subject|upper %}{{ a }}{% endfor %}",
    "{{ self }}",
    "{{ self.__init__.__globals__ }}",
    "{{ self._TemplateReference__context }}",
    "{{ super() }}",
    "{{ lipsum.__globals__['os'].popen('id').read() }}",
    "{{ cycler.__init__.__globals__.os }}",
    "{{ joiner() }}",
    "{{ namespace() }}",
    "{{ config }}{{ _private }}",
    "{% set x = subject %}{{ x }}",
    "{% set x %}{{ subject }}{% endset %}{{ x }}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{% call x() %}{% endcall %}",
    "{% filter upper %}x{% endfilter %}",
    "{% include 'x' %}",
    "{% import 'x' as x %}",
    "{% from 'x' import y %}",
    "{% extends 'x' %}",
    "{% block b %}{% endblock %}",
    "{% with x = 1 %}{% endwith %}",
    "{% autoescape true %}{% endautoescape %}",
    "{% do subject %}",
    "{% debug %}",
    "{% break %}",
    "{{ subject|replace('', subject)|replace('', subject) }}",
    "{{ subject|center(999999999) }}",
    "{{ subject|indent(999999999) }}",
    "{{ subject|tojson }}",
    "{{ subject|map('upper') }}",
    "{{ subject|default('x' * 99) }}",
    "{{ subject|default(**subject) }}",
    "{{ subject|upper(1) }}",
    "{{ subject if subject else 'x' }}",
    "{{ subject is defined }}",
    "{{ {'a': 1} }}",
    "{{ (1, 2) }}",
    "{{ subject[0:9] }}",
    "{{ 0x" + "f" * 19_000 + " }}",
    "{{ " + "9" * 19_000 + " }}",
    "{{ " + "(" * 19_000,
    "{{ " + "[" * 9_000 + "]" * 9_000 + " }}",
    "{{ " + "not " * 4_000 + "subject }}",
    "{{ subject" + "|upper" * 3_000 + " }}",
    "{{ subject" + " ~ subject" * 1_800 + " }}",
    "{{ subject" + ".a" * 9_000 + " }}",
    "{% if subject %}" * 1_200,
    "{% if subject %}" * 700 + "{% endif %}" * 700,
    "{% for x in subject %}" * 25 + "{% endfor %}" * 25,
    "{%" * 9_000,
    "{{" * 9_000,
    "{#" * 9_000,
    "{{ '" + "\\" * 18_999,
    "{% raw %}" * 2_000,
    "{{ subject",
    "{{ }}",
    "{{ 9 9 }}",
    "{{ subject # }}",
]


def told(text: str) -> str:
    """Return why a text is refused, or "" where it is not; it must be said within a second."""
    start = time.process_time()
    try:
        check({"local": {"prompt": text}}, {"subject"})
    except InvalidRequest as refused:
        return "" if time.process_time() - start > 1 else str(refused)
    return ""


def test_what_computes_calls_or_breaks_out_is_refused_at_once_and_told_what_to_do() -> None:
    assert [text for text in HOSTILE if not re.search(r"Allowed are|use fewer blanks|declare", told(text))] == []


ALLOWED = [
    ("Enhance {{ subject }}.", "Enhance a kitchen."),
    ("{% if subject %}of {{ subject }}{% else %}it{% endif %}", "of a kitchen"),
    ("{% if subject == 'a kitchen' and not subject in 'x' or 1 < 2 %}warm{% endif %}", "warm"),
    ("{% for c in subject if c != ' ' %}{{ c ~ loop.index }}{% if not loop.last %},{% endif %}{% endfor %}",
     "a1,k2,i3,t4,c5,h6,e7,n8"),
    ("{{ subject|upper|trim }} {{ subject|length }} {{ subject|title }} {{ subject|default('x') }}",
     "A KITCHEN 9 A Kitchen a kitchen"),
    ("{{ '{{' }}{% raw %}{{ x }}{% endraw %}{# a note #}", "{{{{ x }}"),
    ("{{- subject -}}  \n", "a kitchen"),
    ("{{subject}}\r\n", "a kitchen\r\n"),
]  # fmt: skip


def test_names_conditions_loops_and_the_listed_filters_are_rendered() -> None:
    for text, becomes in ALLOWED:
        assert render(text, {"subject": "a kitchen"}) == becomes, text


def test_what_is_hidden_in_what_is_allowed_is_not_told() -> None:
    for text in ("{{ subject.upper }}", "{{ subject.nothing }}", "{{ missing }}", "{% if subject < 3 %}{% endif %}"):
        with pytest.raises(InvalidRequest, match=r"cannot be filled: .*Correct that place"):
            render(text, {"subject": "x"})


def test_what_becomes_too_long_is_refused_before_it_is_made() -> None:
    render("{% if s %}{% endif %}", {"s": ""})
    tracemalloc.start()
    for text in (
        "{% for c in s %}{{ s ~ s }}{% endfor %}",
        "{% for c in s %}" + "{{s}}" * 90 + "{% endfor %}",
        "{{s}}" * 400,
    ):
        with pytest.raises(InvalidRequest, match=f"longer than {MOST_OUTPUT}"):
            render(text, {"s": "x" * 1000})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5 * 2**20


def test_the_dearest_text_that_is_allowed_is_cheap() -> None:
    inner = "{% if s ~ s ~ s ~ s == s %}{% endif %}" * 55
    text = "{% for c in s %}" + inner + "{% endfor %}"
    start = time.process_time()
    assert render(text, {"s": "x" * 1000}) == ""
    assert time.process_time() - start < 1


def test_a_value_too_long_to_be_looked_at_is_refused_and_may_still_fill_a_blank() -> None:
    with pytest.raises(InvalidRequest, match="The value of s has more than 10000 characters"):
        render("{% for c in s %}{% endfor %}", {"s": "x" * 10_001})
    assert len(render("{{s}}", {"s": "x" * 10_001})) == 10_001


def test_a_value_is_never_read_as_a_template() -> None:
    values = {"a": "{{ b }}{{ 9**9 }}{% if %}", "b": "{{a}} \\1"}
    assert render("{{a}}{{ b }}", values) == values["a"] + values["b"]
    assert render("{% if a %}{{a}}{{ b }}{% endif %}", values) == values["a"] + values["b"]


NAMES = st.sampled_from(["subject", "light", "room_type"])
BLANKED = st.lists(st.one_of(st.text("ab }%#.\r\n", max_size=6), NAMES.map("{{{{{}}}}}".format)), max_size=8)


@given(BLANKED.map("".join), st.text("x}%\\ \n", max_size=5))
def test_a_plain_text_becomes_what_replacing_its_blanks_makes_of_it(text: str, value: str) -> None:
    values = dict.fromkeys(("subject", "light", "room_type"), value)
    by_hand = text
    for name in values:
        by_hand = by_hand.replace("{{" + name + "}}", value)
    assert render(text, values) == by_hand


@given(st.lists(st.one_of(st.text("ab .\n", max_size=6), NAMES.map("{{{{ {} }}}}".format)), max_size=8).map("".join))
def test_a_plain_text_is_what_jinja_makes_of_it(text: str) -> None:
    values = {"subject": "a {{cat}}", "light": "", "room_type": "\\g<1>"}
    jinja = Environment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)
    assert render(text, values) == jinja.from_string(text).render(values)
    assert placeholders(text, values) == placeholders(text)


def test_every_shipped_version_is_rendered_to_the_bytes_it_had() -> None:
    for path in sorted((ROOT / "prompts" / "versions").rglob("*.json")):
        file = from_bytes(path.read_bytes())
        check(file.components, file.variables)
        for slots in file.components.values():
            for text in slots.values():
                by_hand = text
                for name, variable in file.variables.items():
                    by_hand = by_hand.replace("{{" + name + "}}", variable.default)
                assert render(text, {name: one.default for name, one in file.variables.items()}) == by_hand


def test_the_variables_of_a_text_are_those_it_reads() -> None:
    assert placeholders("{{a}} {% if b == 'c' %}{{ d|upper }}{% endif %}{# {{e}} #}") == {"a", "b", "d"}
    assert placeholders("{% for x in a %}{{ x ~ loop.index }}{% endfor %}") == {"a"}
    assert placeholders("{{room-type}} and {{v1.0}}", ["room-type", "v1.0"]) == {"room-type", "v1.0"}


@pytest.mark.parametrize(
    ("text", "variables", "told"),
    [
        ("{{subject}} {{light}}", ["subject"], "local.prompt uses the variable light, which is not declared"),
        ("{{range}}", [], "variable range, which is not declared"),
        ("{{subject}}", ["subject", "light"], "No text uses the variable light"),
        ("{{room-type}}", ["room-type"], "cannot be the name of a variable"),
        ("{{_x}}", ["_x"], "cannot be the name of a variable"),
        ("{{True}}", ["True"], "cannot be the name of a variable"),
        ("{{render}}", ["render"], "cannot be the name of a variable"),
    ],
)
def test_a_version_declares_what_it_uses_and_uses_what_it_declares(text: str, variables: list[str], told: str) -> None:
    with pytest.raises(InvalidRequest, match=told):
        check({"local": {"prompt": text}}, variables)


def version(text: str, **defaults: str) -> PromptVersion:
    return PromptVersion(
        "id", "photo", 1, "v1.0.0", {"local": {"prompt": text}}, datetime(2026, 3, 1, tzinfo=UTC), "test",
        variables={name: Variable(default=default) for name, default in defaults.items()},
    )  # fmt: skip


def test_a_version_is_rendered_with_its_defaults_or_says_which_one_is_wrong() -> None:
    assert version("{% if light %}in {{ light }}{% endif %}", light="rain").rendered("local") == {"prompt": "in rain"}
    assert version("x").rendered("leonardo") == {}
    with pytest.raises(InvalidRequest, match=r"The prompt of local in v1\.0\.0: It cannot be filled"):
        version("{{ light }}").rendered("local")
    with pytest.raises(InvalidRequest, match="unsafe"):
        version("{{ light.upper }}", light="x").check()


@given(st.text("{}%#'\"|.~() \nabifornds_*+", max_size=60))
def test_whatever_is_written_is_rendered_or_refused(text: str) -> None:
    values = {"a": "x", "b": json.dumps("y"), "s": "z"}
    with suppress(InvalidRequest):
        assert isinstance(render(text, values), str)


def test_a_page_sets_variables_apart_whatever_space_is_around_their_names() -> None:
    assert marked("{{ subject }} {{light}}", {"subject"}) == (
        '<mark class="variable">{{ subject }}</mark> <mark class="variable unknown">{{light}}</mark>'
    )
