"""What is live is known in one place."""

import ast

from tests.shape.places import modules, nodes

PLACE = "web/services/prompts/pointers.py"
# Beside it: what a pointer is, and where its rows and queries are named.
WORDS = {
    PLACE,
    "web/domain/prompts/prompt.py",
    "web/rows/prompts.py",
    "web/adapters/database/queries/prompts.py",
}


def test_only_one_module_asks_for_pointers_makes_or_locks_one() -> None:
    asking = {str(path) for path, text in modules() for node in nodes(text) if _asks(node)}
    assert asking <= WORDS, "let pointers.py do it"
    assert PLACE in asking


def test_only_one_module_says_what_the_pointer_of_production_is_called() -> None:
    naming = {str(path) for path, text in modules() for node in nodes(text) if _names(node)}
    assert naming == {PLACE}


def _asks(node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr == "pointers" or ast.unparse(node).endswith("of_prompts.lock")
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Pointer"


def _names(node: ast.AST) -> bool:
    """Tell whether a kind and a name of pointers stand side by side, as arguments, in a tuple or in a table."""
    if isinstance(node, ast.Call):
        said = [*node.args, *(keyword.value for keyword in node.keywords)]
    else:
        said = node.elts if isinstance(node, ast.Tuple) else []
    words = {one.value for one in said if isinstance(one, ast.Constant)}
    return bool(words & {"environment", "branch"}) and bool(words & {"production", "main"})
