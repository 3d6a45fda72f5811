"""A whole life of a project, and after each thing that people do in it `verify` has nothing to say."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta, timezone
from pathlib import Path

import pytest

from tests.care.lived import Installation, installed
from tests.unit.abtests.test_verdicts import QUICK, candidate, judge_pairs
from tests.world import World, answer, photo
from web.domain.abtests.abtest import ABTest, Design
from web.domain.access import Actor
from web.domain.ids import new_id
from web.domain.prompts.prompt import PromptVersion
from web.domain.studies.evolving import Policy
from web.domain.studies.study import Project
from web.jobs import schedule
from web.services.abtests import abtests, verdicts
from web.services.abtests.abtests import Challenge
from web.services.accounts import accounts, keys, members
from web.services.accounts.keys import KeyDraft
from web.services.operations import erasure
from web.services.operations.verify import Verification
from web.services.prompts import drafts, pointers, promotion, publication
from web.services.prompts.drafts import Draft
from web.services.rating import enrolment
from web.services.studies import intake, retention
from web.services.studies.studies import StudyDraft, change_study, clone_study, move_study

pytestmark = pytest.mark.storage

Life = Callable[[World], None]


def told(world: World) -> list[str]:
    """Return all that `verify` says, orphans too."""
    return [f"{found.kind}: {found.says}" for found in Verification(world.parts, b"").findings()]


def drafted(world: World, words: str, by: Actor | None = None) -> PromptVersion:
    """Return a version that an admin wrote by hand."""
    text = f"Enhance this photo of {{{{subject}}}}, {words}, and change no more than it needs."
    components = {"local": {"prompt": text, "negative_prompt": "artefacts, added objects, watermarks"}}
    return drafts.draft(world.parts, by or world.admin, world.study.prompt_key, Draft(words, components=components))


def live_revision(world: World) -> int:
    with world.parts.store.read() as tx:
        return pointers.locked(tx, world.study.prompt_key).revision


def put_live(world: World, version: PromptVersion) -> None:
    promotion.promote(world.parts, world.admin, world.study.prompt_key, version.id, live_revision(world))


def decided(world: World, version: PromptVersion, policy: Policy, difference: float = 3.0) -> ABTest:
    """Test a version against what is live until the test is decided."""
    asked = Challenge((version.id,), design=QUICK, policy=policy)
    test = abtests.open_test(world.parts, world.admin, world.study.id, asked)
    judge_pairs(world, test, difference)
    return test


def held_back(world: World) -> ABTest:
    with world.parts.store.read() as tx:
        (watch,) = tx.ab_tests.all(kind="hold_back", state="running")
    return watch


def a_draft_goes_live_by_hand(world: World) -> None:
    put_live(world, drafted(world, "make it warmer"))


def a_draft_wins_and_goes_live_by_itself(world: World) -> None:
    decided(world, drafted(world, "make it softer"), "auto")


def a_draft_is_held_back_and_stays(world: World) -> None:
    judge_pairs(world, held_back(world), -3.0)


def a_draft_is_held_back_and_rolled_back(world: World) -> None:
    decided(world, drafted(world, "make it darker"), "auto")
    judge_pairs(world, held_back(world), 3.0)


def a_draft_is_approved_by_another_admin(world: World) -> None:
    test = decided(world, drafted(world, "keep skin natural"), "approve")
    verdicts.approve(world.parts, world.person("admin"), test.id, test.prompt_key)
    judge_pairs(world, held_back(world), -3.0)


def a_draft_is_declined_and_one_is_given_up(world: World) -> None:
    test = decided(world, drafted(world, "make it calmer"), "manual")
    abtests.decline(world.parts, world.admin, test.id)
    other = abtests.open_test(
        world.parts, world.admin, world.study.id, Challenge((drafted(world, "more grain").id,), design=Design())
    )
    for action in ("pause", "resume", "stop"):
        abtests.move_test(world.parts, world.admin, other.id, action)


def what_a_model_wrote_goes_live(world: World) -> None:
    put_live(world, candidate(world, "a clear sky"))


def a_draft_is_rolled_back_and_withdrawn(world: World) -> None:
    version = drafted(world, "sharpen the edges")
    put_live(world, version)
    promotion.roll_back(world.parts, world.admin, world.study.prompt_key, live_revision(world))
    promotion.withdraw(world.parts, world.admin, version.id, "too sharp")


def somebody_comes_back_and_chooses_a_day(world: World) -> None:
    rita = world.person()
    members.deactivate(world.parts, world.admin, rita.user_id)
    members.reactivate(world.parts, world.admin, rita.user_id)
    enrolment.choose_time_zone(world.parts, rita, "Europe/Berlin")


def somebody_is_in_another_project_for_a_while(world: World) -> None:
    rita, chief = gone_on(world)
    members.deactivate(world.parts, chief, rita.user_id)
    members.reactivate(world.parts, chief, rita.user_id)
    accounts.use_link(world.parts, accounts.invite(world.parts, world.admin, "rater", rita.email))
    members.set_role(world.parts, world.admin, rita.user_id, "admin")


def somebody_goes_on_to_another_project_for_good(world: World) -> None:
    gone_on(world)


def gone_on(world: World) -> tuple[Actor, Actor]:
    """Let somebody whom the chain knows go to another project; return them, and the terminal there."""
    parts, rita = world.parts, world.person()
    members.deactivate(parts, world.admin, rita.user_id)
    members.reactivate(parts, world.admin, rita.user_id)
    with parts.store.begin() as tx:
        project = tx.projects.add(Project(new_id(), "Elsewhere", parts.clock.now()))
    chief = Actor("", "the terminal", project.id, "admin")
    accounts.use_link(parts, accounts.invite(parts, chief, "rater", rita.email))
    members.deactivate(parts, world.admin, rita.user_id)
    return rita, chief


def somebody_is_erased_with_their_photos(world: World) -> None:
    parts, rita = world.parts, world.person("admin")
    keys.make_key(parts, rita, KeyDraft("shop", ("prompts:read",)))
    accounts.invite(parts, rita, "rater", "guest@example.org")
    intake.add_input(parts, rita, world.study.id, "hers", photo(71))
    drafted(world, "make it rosier", rita)
    world.work()
    erasure.erase_person(parts, world.admin, rita.user_id, rita.email, photos=True)
    world.work()


def a_key_runs_out_in_another_time_zone(world: World) -> None:
    until = (world.clock.now() + timedelta(days=30)).astimezone(timezone(timedelta(hours=2)))
    key, _ = keys.make_key(world.parts, world.admin, KeyDraft("CI", ("prompts:read",), expires_at=until))
    with world.parts.store.begin() as tx:
        tx.of_people.use_key(key.id, world.clock.now(), world.clock.now())


def photos_come_and_go(world: World) -> None:
    first, second = (intake.add_input(world.parts, world.admin, world.study.id, "p", photo(n)) for n in (81, 82))
    again = clone_study(world.parts, world.admin, world.study.id, "Again", warm=True)
    world.work()
    intake.take_down(world.parts, world.admin, first.id)
    erasure.erase_input(world.parts, world.admin, second.id, "erase")
    move_study(world.parts, world.admin, again.id, "archived")
    world.work()


def a_study_is_set_in_whole_numbers_and_finishes(world: World) -> None:
    with world.parts.store.read() as tx:
        study = tx.studies.get(world.study.id)
    draft = replace(StudyDraft.of(study), stop=replace(study.stop, goal=4, ratings=1))
    change_study(world.parts, world.admin, study.id, study.revision, draft)
    rater = world.person()
    for held in world.hold(rater, 1).held:
        assert world.rate(rater, answer(held.options[0].option_id)) == ["stored"]
    world.clock.advance(minutes=1)
    world.work()
    with world.parts.store.read() as tx:
        assert tx.studies.get(world.study.id).state == "finished"
    move_study(world.parts, world.admin, study.id, "running")


def what_nobody_rated_is_let_go_of(world: World) -> None:
    world.parts = replace(world.parts, retention=timedelta(days=90))
    with world.parts.store.begin() as tx:
        ready = [one.id for one in tx.experiments.all(study_id=world.study.id, state="ready")]
        tx.of_experiments.move(tx.of_experiments.lock(ready), "dropped", world.clock.now())
    world.clock.advance(days=91)
    retention.prune(world.parts)
    schedule.tick(world.parts)
    world.work()


LIFE: tuple[Life, ...] = (
    a_draft_goes_live_by_hand,
    a_draft_wins_and_goes_live_by_itself,
    a_draft_is_held_back_and_stays,
    a_draft_is_held_back_and_rolled_back,
    a_draft_is_approved_by_another_admin,
    a_draft_is_declined_and_one_is_given_up,
    a_draft_is_rolled_back_and_withdrawn,
    somebody_comes_back_and_chooses_a_day,
    somebody_is_in_another_project_for_a_while,
    somebody_goes_on_to_another_project_for_good,
    somebody_is_erased_with_their_photos,
    a_key_runs_out_in_another_time_zone,
    photos_come_and_go,
    a_study_is_set_in_whole_numbers_and_finishes,
    what_nobody_rated_is_let_go_of,
    what_a_model_wrote_goes_live,
)


def alarms_of(world: World) -> dict[str, list[str]]:
    """Live a whole life, and return what `verify` said first after which part of it."""
    alarms: dict[str, list[str]] = {}
    for seed in range(1, 8):
        world.add_input(seed)
    for happens in LIFE:
        happens(world)
        known = [one for some in alarms.values() for one in some]
        if new := [one for one in told(world) if one not in known]:
            alarms[happens.__name__] = new
    return alarms


def test_verify_is_silent_all_life_long_and_wherever_it_goes_on(
    target: Installation, fresh: Callable[[], Installation], tmp_path: Path
) -> None:
    world = target.world
    alarms = alarms_of(world)
    moved = fresh()
    moved.load_project(target.export_project(tmp_path / "project.zip"))
    publication.reconcile(moved.world.parts)
    alarms |= {"the project moves": told(moved.world)}
    other = installed(fresh().store, tmp_path / "other", inputs=1)
    other.load_study(target.export_study(tmp_path / "study.zip"))
    publication.reconcile(other.world.parts)
    alarms |= {"the study is imported": told(other.world)}
    assert {life: said for life, said in alarms.items() if said} == {}
