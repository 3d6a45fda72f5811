"""The edge opens no transaction: what a page shows is read by one function of a service, as of one moment."""

import ast

from tests.shape.places import modules, nodes

EDGE = ("web/api/", "web/cli/", "web/http/", "web/pages/")
OPENS = {"begin", "read", "snapshot"}


def test_no_transaction_is_opened_in_the_edge() -> None:
    opened = [
        f"{path}:{node.lineno}"
        for path, text in modules()
        if str(path).startswith(EDGE)
        for node in nodes(text)
        if isinstance(node, ast.Call) and _opens(node)
    ]
    assert opened == []


def test_what_opens_a_transaction_is_seen() -> None:
    lines = ("parts.store.read()", "store.begin()", "self.store.snapshot()", "context(request).parts.store.read()")
    assert all(_opens(ast.parse(line, mode="eval").body) for line in lines)
    harmless = ("file.read()", "Filter.read(query)", "parts.objects.read(key)", "sessions.end(store)")
    assert not any(_opens(ast.parse(line, mode="eval").body) for line in harmless)


def _opens(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr not in OPENS:
        return False
    owner = node.func.value
    name = owner.attr if isinstance(owner, ast.Attribute) else owner.id if isinstance(owner, ast.Name) else ""
    # Nothing but a store begins or takes a snapshot; files and forms are read too, by other names.
    return name == "store" or (node.func.attr != "read" and not node.args)
