"""Parts that are made when they are first used."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import sleep

import pytest

from web.adapters.later import later
from web.adapters.optimizer.far import FarOptimizer
from web.adapters.optimizer.near import NearOptimizer
from web.parts import build_parts
from web.settings import Settings


class Counted:
    """Counts how many of its kind were made, slowly."""

    made = 0

    def __init__(self) -> None:
        sleep(0.01)
        type(self).made += 1

    def answer(self) -> int:
        """Say something."""
        return 42


def test_a_part_is_made_once_when_it_is_first_used_also_by_several_at_once() -> None:
    Counted.made = 0
    part = later(Counted)
    assert Counted.made == 0
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: part.answer(), range(8))) == [42] * 8
    assert Counted.made == 1


def test_a_part_that_cannot_be_made_says_so_to_whoever_uses_it_and_is_tried_again() -> None:
    tries = iter([ValueError("not yet"), None])

    def make() -> Counted:
        fault = next(tries)
        if fault is not None:
            raise fault
        return Counted()

    part = later(make)
    with pytest.raises(ValueError, match="not yet"):
        part.answer()
    assert part.answer() == 42


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({}, NearOptimizer),
        ({"ml_service_url": "http://127.0.0.1:1", "ml_service_token": "a token long enough"}, FarOptimizer),
    ],
)
def test_the_settings_choose_the_optimizer(more: dict[str, str], kind: type[object], tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/palate.db"
    settings = Settings.model_validate({"data_dir": tmp_path, "database_url": url, **more})
    assert build_parts(settings).optimizer.suggest.__qualname__ == f"{kind.__name__}.suggest"
