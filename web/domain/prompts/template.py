"""Texts of prompts as templates: what they may hold, which variables they use, and how they are filled.

A text that holds nothing but `{{name}}` is filled as it stands, byte for byte. One that uses more goes through Jinja2's
sandbox, and only where its syntax is on the list below: that is looked at before Jinja2 computes anything.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache

from jinja2 import Environment, StrictUndefined, Template, TemplateError, TemplateSyntaxError, meta, nodes
from jinja2.filters import FILTERS
from jinja2.sandbox import ImmutableSandboxedEnvironment

from ml_service.errors import InvalidRequest

ALLOWED_FILTERS = ("capitalize", "default", "length", "lower", "title", "trim", "upper")
MOST_OUTPUT = 200_000  # characters of what a text becomes
MOST_NODES = 500  # with the length of values, this bounds what a loop can do
MOST_VALUE = 10_000  # characters that a condition or a loop looks at
DEEPEST = 20  # Python compiles no more blocks within one another
RESERVED = (
    "and", "caller", "else", "false", "for", "if", "in", "is", "loop", "none", "not", "or", "render", "self", "super",
    "true",
)  # fmt: skip

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_MARKS = re.compile(r"\{\{|\{%|\{#")
_PLAIN_NODES = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.Getattr, nodes.If, nodes.For,
    nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Concat, nodes.Filter,
)  # fmt: skip
_WORDS = {
    nodes.Call: "a call", nodes.CallBlock: "a call", nodes.Macro: "a macro", nodes.Import: "an import",
    nodes.FromImport: "an import", nodes.Include: "an include", nodes.Extends: "an extends", nodes.Getitem: "brackets",
    nodes.Assign: "a set", nodes.AssignBlock: "a set", nodes.Test: "a test", nodes.CondExpr: "an inline if",
    nodes.BinExpr: "arithmetic", nodes.UnaryExpr: "arithmetic", nodes.Literal: "a literal",
}  # fmt: skip
_ALLOWED = (
    "Allowed are variables, if, for over a variable, comparisons, ~ and the filters "
    f"{', '.join(ALLOWED_FILTERS)}; to write braces themselves, put them in quotes: {{{{ '{{{{' }}}}."
)


def placeholders(text: str, declared: Collection[str] = ()) -> frozenset[str]:
    """Return the variables that a text uses, declared or not; InvalidRequest where the text may not be a template."""
    found, is_plain = _plain(text, declared)
    return frozenset(found) if is_plain else frozenset(_used(text))


def check(components: Mapping[str, Mapping[str, str]], variables: Collection[str]) -> None:
    """Refuse texts that cannot be rendered, and variables that are not declared, not used or badly named."""
    for name in variables:
        if not _NAME.fullmatch(name) or name.lower() in RESERVED:
            raise InvalidRequest(
                f"“{name[:64]}” cannot be the name of a variable. Begin it with a letter, go on with letters, digits "
                f"and _, and use none of {', '.join(RESERVED)}."
            )
    used: set[str] = set()
    for generator, slots in components.items():
        for slot, text in slots.items():
            try:
                names = placeholders(text, variables)
            except InvalidRequest as error:
                raise InvalidRequest(f"{generator}.{slot}: {error}") from error
            _check_declared(f"{generator}.{slot}", names, variables)
            used |= names
    for name in variables:
        if name not in used:
            raise InvalidRequest(f"No text uses the variable {name}: write {{{{{name}}}}} somewhere, or take it out.")


def render(text: str, values: Mapping[str, str]) -> str:
    """Return a text with its variables filled; InvalidRequest says why it cannot be."""
    filled = _fill(text, values) if _plain(text, values)[1] else _through_jinja(text, values)
    if len(filled) > MOST_OUTPUT:
        raise InvalidRequest(f"It becomes longer than {MOST_OUTPUT} characters; shorten it.")
    return filled


def _check_declared(where: str, names: Collection[str], variables: Collection[str]) -> None:
    undeclared = sorted(set(names) - set(variables))
    if undeclared:
        told = f"{where} uses the variable {undeclared[0]}, which is not declared."
        raise InvalidRequest(f"{told} Declare it with a default, or correct its name.")


def _blanks(names: Collection[str]) -> re.Pattern[str]:
    return re.compile(r"\{\{\s*(" + ("|".join(map(re.escape, names)) or "(?!)") + r")\s*\}\}")


def _plain(text: str, names: Collection[str]) -> tuple[list[str], bool]:
    """Return which names a text holds as `{{name}}`, and whether it holds nothing else that Jinja2 would read."""
    blanks = _blanks(names)
    return blanks.findall(text), _MARKS.search(blanks.sub(" ", text)) is None


def _fill(text: str, values: Mapping[str, str]) -> str:
    return _blanks(values).sub(lambda at: values[at[1]], text)


def _through_jinja(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        if len(value) > MOST_VALUE:
            raise InvalidRequest(f"The value of {name} has more than {MOST_VALUE} characters; shorten it.")
    pieces, length = [], 0
    try:
        for piece in _compiled(text).generate(values):
            pieces.append(piece)
            length += len(piece)
            if length > MOST_OUTPUT:
                break
    except (TemplateError, TypeError, ValueError) as error:
        raise InvalidRequest(f"It cannot be filled: {str(error)[:200]}. Correct that place.") from error
    return "".join(pieces)


@lru_cache(maxsize=256)
def _compiled(text: str) -> Template:
    _checked(text)
    try:
        return _ENVIRONMENT.from_string(text)
    except (TemplateSyntaxError, SyntaxError, ValueError) as error:  # names cannot all be compiled; nor can any number
        raise InvalidRequest(f"It cannot be read as a template: {str(error)[:200]}. {_ALLOWED}") from error


def _used(text: str) -> set[str]:
    tree = _checked(text)
    _compiled(text)
    return meta.find_undeclared_variables(tree)


def _checked(text: str) -> nodes.Template:
    try:
        tree = _ENVIRONMENT.parse(text)
    except TemplateSyntaxError as error:
        raise InvalidRequest(f"Line {error.lineno} is no template: {str(error.message)[:200]}. {_ALLOWED}") from error
    except (ValueError, RecursionError) as error:  # a number of thousands of digits; thousands of brackets
        raise InvalidRequest(f"It is no template that can be read. {_ALLOWED}") from error
    for count, (node, depth, in_loop) in enumerate(_walk(tree, 0, False)):
        if count > MOST_NODES or depth > DEEPEST:
            raise InvalidRequest("It does too much for a prompt; use fewer blanks and conditions, or nest them less.")
        fault = _fault(node, in_loop)
        if fault:
            raise InvalidRequest(f"Line {node.lineno} uses {fault}, which a prompt may not. {_ALLOWED}")
    return tree


def _walk(node: nodes.Node, depth: int, in_loop: bool) -> Iterator[tuple[nodes.Node, int, bool]]:
    yield node, depth, in_loop
    if depth > DEEPEST:
        return
    for child in node.iter_child_nodes():
        yield from _walk(child, depth + 1, in_loop or isinstance(node, nodes.For))


def _fault(node: nodes.Node, in_loop: bool) -> str | None:
    """Name what a node has that a prompt may not."""
    if isinstance(node, nodes.Filter):
        return _fault_of_filter(node)
    if isinstance(node, nodes.For):
        is_simple = isinstance(node.target, nodes.Name) and isinstance(node.iter, nodes.Name | nodes.Getattr)
        return None if is_simple and not node.recursive and not in_loop else "a loop within a loop or over no variable"
    name = getattr(node, "attr", "") if isinstance(node, nodes.Getattr) else getattr(node, "name", "")
    if isinstance(node, nodes.Name | nodes.Getattr) and (name.startswith("_") or name in ("self", "super", "caller")):
        return f"the name {name[:64]}"
    if isinstance(node, _PLAIN_NODES):
        return None
    kinds = (words for kind, words in _WORDS.items() if isinstance(node, kind))
    return next(kinds, type(node).__name__.lower())


def _fault_of_filter(node: nodes.Filter) -> str | None:
    if node.name not in ALLOWED_FILTERS or node.node is None:
        return f"the filter {node.name[:64]}"
    is_bare = not node.kwargs and node.dyn_args is None and node.dyn_kwargs is None
    fits = is_bare and all(isinstance(arg, nodes.Const) for arg in node.args)
    return None if fits and len(node.args) <= (2 if node.name == "default" else 0) else f"{node.name} with arguments"


class _Sandbox(ImmutableSandboxedEnvironment):
    """The sandbox without globals, with the listed filters, and with no way to what can be called."""

    def __init__(self) -> None:
        super().__init__(undefined=StrictUndefined, keep_trailing_newline=True, optimized=False)
        self.globals.clear()
        self.tests.clear()
        self.filters = {name: FILTERS[name] for name in ALLOWED_FILTERS}

    def is_safe_attribute(self, obj: object, attr: str, value: object) -> bool:
        """Tell whether an attribute may be read: no method, whose text would differ from run to run."""
        return super().is_safe_attribute(obj, attr, value) and not callable(value)


_ENVIRONMENT: Environment = _Sandbox()
