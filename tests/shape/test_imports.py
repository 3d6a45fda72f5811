"""The diagram of the house is a test: who may import whom."""

from importlinter.cli import lint_imports


def test_the_import_contracts_hold() -> None:
    assert lint_imports(".importlinter", no_cache=True) == 0
