"""One convention of parameters in services: a transaction comes first, then the parts, then everything else."""

import ast
from collections.abc import Iterator
from pathlib import Path

SERVICES = sorted(Path("web/services").rglob("*.py"))


def test_a_transaction_comes_first_and_then_the_parts() -> None:
    assert [told for path in SERVICES for told in _out_of_order(path)] == []


def test_no_function_takes_a_store_or_a_clock_beside_the_parts() -> None:
    alone = [
        f"{path}: {function.name}"
        for path in SERVICES
        for function in _functions(path)
        if {"Store", "Clock"} & set(_kinds(function))
    ]
    assert alone == []


def _out_of_order(path: Path) -> Iterator[str]:
    for function in _functions(path):
        kinds = _kinds(function)
        leading = [kind for kind in kinds if kind in ("Transaction", "Parts", "Books")]
        if kinds[: len(leading)] != sorted(leading, key=lambda kind: kind != "Transaction"):
            yield f"{path}: {function.name}"


def _functions(path: Path) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef))


def _kinds(function: ast.FunctionDef) -> list[str]:
    told = (ast.unparse(each.annotation) for each in function.args.args if each.annotation is not None)
    return ["Transaction" if kind.endswith("Rows") else kind for kind in told]
