"""A text that cannot be rendered goes no further: it is not released, and what obeys it says why it failed."""

from dataclasses import replace
from pathlib import Path

import pytest

from ml_service.errors import InvalidRequest
from tests.clock import FixedClock
from tests.publishing.press import candidate, live
from tests.world import make_world
from web.adapters.database.store import SqlStore
from web.domain.access import Actor
from web.domain.prompts.prompt import DEFAULT_KEY
from web.jobs import schedule
from web.ports.parts import Parts
from web.services.prompts.promotion import promote


@pytest.mark.parametrize("text", ["{{ 9**9999999 }}", "Of {{subject}} in {{light}}.", "{% if subject %}"])
def test_a_candidate_that_cannot_be_rendered_is_not_released(parts: Parts, admin: Actor, text: str) -> None:
    before = live(parts)
    broken = candidate(parts, components={"local": {"prompt": text}})
    with pytest.raises(InvalidRequest, match="The prompt of local"):
        promote(parts, admin, DEFAULT_KEY, broken.id, before[0].revision)
    assert live(parts) == before


def test_a_candidate_with_conditions_is_released_and_rendered(parts: Parts, admin: Actor) -> None:
    text = "Enhance {% if subject == 'a scene' %}this photo{% else %}{{ subject }}{% endif %}."
    fresh = candidate(parts, components={"local": {"prompt": text}})
    promote(parts, admin, DEFAULT_KEY, fresh.id, live(parts)[0].revision)
    assert live(parts)[1].rendered("local") == {"prompt": "Enhance this photo."}


def test_an_option_of_a_prompt_that_cannot_be_filled_fails_and_says_why(
    store: SqlStore, clock: FixedClock, tmp_path: Path
) -> None:
    world = make_world(store, clock, tmp_path)
    version = live(world.parts)[1]
    with store.begin() as tx:
        tx.versions.replace(replace(version, components={"local": {"prompt": "Enhance {{nothing}}."}}))
    schedule.tick(world.parts)
    world.work()
    with store.read() as tx:
        options = tx.options.all(study_id=world.study.id)
    assert {option.state for option in options} == {"failed"}
    assert {str(option.error)[:30] for option in options} == {"The prompt of local in v1.0.0:"}
