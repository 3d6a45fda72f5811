"""What is live moves in one step, is written down, and can be gone back on."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ml_service.errors import Conflict, Forbidden, InvalidRequest, NotFound
from ml_service.wire.contract import Best, Diagnosis, Interval, Point
from tests.clock import FixedClock
from tests.publishing.press import candidate, check_files, live
from tests.released import list_versions
from tests.rows import SPACE
from web.adapters.database.store import SqlStore
from web.domain.access import Actor
from web.domain.audit.audit import faults
from web.domain.ids import new_id
from web.domain.prompts.prompt import DEFAULT_KEY, Prompt, Variable
from web.domain.studies.study import Learnt, Project, Study
from web.ports.parts import Parts
from web.services.prompts.promotion import Move, Promotion, history, promote, publish_best, roll_back, withdraw
from web.services.prompts.versions import load_current, load_version

Act = Callable[[Parts, Actor], object]


@pytest.fixture
def study(parts: Parts, admin: Actor, clock: FixedClock) -> Study:
    study = Study(new_id(), admin.project_id, "Photos", "running", {"local": SPACE}, DEFAULT_KEY, clock.now())
    with parts.store.begin() as tx:
        return tx.studies.add(study)


def learn(parts: Parts, study: Study, point: Point | None, used: int = 125) -> Learnt:
    """Keep a diagnosis as the worker would."""
    gain = Interval(mean=0.42, low=0.1, high=0.74)
    best = None if point is None else Best(generator="local", point=point, rating=gain, gain=gain)
    said = Diagnosis(
        best=best, convergence=None, parameters={}, raters=(), variance=None, ratings_used=used, history="h"
    )
    with parts.store.begin() as tx:
        return tx.diagnoses.add(Learnt(new_id(), study.id, new_id(), said, parts.clock.now()))


def moves(parts: Parts, admin: Actor) -> list[tuple[str, str, str, int]]:
    told = history(parts, admin, DEFAULT_KEY)
    return [(move.action.removeprefix("prompt."), move.from_version, move.to_version, move.revision) for move in told]


def promoted(parts: Parts, admin: Actor, count: int = 1) -> list[Promotion]:
    """Promote fresh candidates one after the other."""
    return [promote(parts, admin, DEFAULT_KEY, candidate(parts).id, live(parts)[0].revision) for _ in range(count)]


def test_the_best_settings_become_the_live_version(
    parts: Parts, admin: Actor, study: Study, folder: Path, clock: FixedClock
) -> None:
    clock.advance(seconds=0.5)
    learn(parts, study, {"exposure": 0.25, "style": "vivid"})
    done = publish_best(parts, admin, study.id, revision=0, note="looks good")
    file = load_current(parts.published)
    assert (file.version, file.parents, file.created_by) == ("v1.1.0", ("v1.0.0",), "optimizer")
    assert file.parameter_defaults == {"local": {"exposure": 0.25, "style": "vivid"}}
    assert (
        file.changelog == "The best settings of Photos after 125 ratings: gain +0.42 (0.10 to 0.74) over the defaults."
    )
    assert file.created_at == clock.now().replace(microsecond=0)
    assert live(parts) == (done.pointer, done.version)
    with parts.store.read() as tx:
        main = tx.pointers.find(prompt_key=DEFAULT_KEY, kind="branch", name="main")
        first = tx.versions.find(prompt_key=DEFAULT_KEY, name="v1.0.0")
    assert main is not None
    assert first is not None
    assert (main.version_id, main.revision) == (first.id, 0)
    assert load_version(parts.published, "v1.1.0") == file
    check_files(parts, folder)


def test_new_settings_are_laid_over_those_that_are_live(parts: Parts, admin: Actor, study: Study) -> None:
    learn(parts, study, {"exposure": 0.25})
    publish_best(parts, admin, study.id)
    parts.clock.advance(minutes=1)  # type: ignore[attr-defined]
    learn(parts, study, {"contrast": 1.1})
    publish_best(parts, admin, study.id)
    assert load_current(parts.published).parameter_defaults == {"local": {"exposure": 0.25, "contrast": 1.1}}
    assert list_versions(parts.published) == ("v1.0.0", "v1.1.0", "v1.2.0")


def test_the_settings_that_somebody_looked_at_are_published(
    parts: Parts, admin: Actor, study: Study, clock: FixedClock
) -> None:
    seen = learn(parts, study, {"exposure": 0.25})
    clock.advance(minutes=1)
    learn(parts, study, {"exposure": 0.5})
    publish_best(parts, admin, study.id, learnt_id=seen.id)
    assert load_current(parts.published).parameter_defaults == {"local": {"exposure": 0.25}}
    with pytest.raises(Conflict, match="look at the newest"):
        publish_best(parts, admin, study.id, learnt_id=new_id())


def test_there_is_nothing_to_publish_before_anything_was_learnt(parts: Parts, admin: Actor, study: Study) -> None:
    with pytest.raises(Conflict, match="Photos has learnt no best settings yet"):
        publish_best(parts, admin, study.id)
    learn(parts, study, None)
    with pytest.raises(Conflict, match="Photos has learnt no best settings yet"):
        publish_best(parts, admin, study.id)


def test_what_is_live_already_is_not_published_again(parts: Parts, admin: Actor, study: Study) -> None:
    learn(parts, study, {"exposure": 0.25})
    publish_best(parts, admin, study.id)
    with pytest.raises(Conflict, match=r"live already, as v1\.1\.0"):
        publish_best(parts, admin, study.id)
    assert list_versions(parts.published) == ("v1.0.0", "v1.1.0")


def test_publishing_under_one_id_happens_once(parts: Parts, admin: Actor, study: Study, clock: FixedClock) -> None:
    learn(parts, study, {"exposure": 0.25})
    version_id = new_id()
    first = publish_best(parts, admin, study.id, revision=0, version_id=version_id)
    assert first.version.id == version_id
    assert publish_best(parts, admin, study.id, revision=0, version_id=version_id) == first
    clock.advance(minutes=1)
    roll_back(parts, admin, DEFAULT_KEY, 1)
    assert publish_best(parts, admin, study.id, revision=0, version_id=version_id) == first
    assert load_current(parts.published).version == "v1.0.0"


def test_an_id_that_is_something_else_is_refused(parts: Parts, admin: Actor, study: Study) -> None:
    learn(parts, study, {"exposure": 0.25})
    with pytest.raises(Conflict, match="taken"):
        publish_best(parts, admin, study.id, version_id=live(parts)[1].id)
    with pytest.raises(InvalidRequest, match="UUID"):
        publish_best(parts, admin, study.id, version_id="v1.1.0")


def test_whoever_looked_at_an_older_state_is_told(parts: Parts, admin: Actor, study: Study) -> None:
    learn(parts, study, {"exposure": 0.25})
    other = candidate(parts)
    publish_best(parts, admin, study.id, revision=0)
    stale: tuple[Callable[[], object], ...] = (
        lambda: publish_best(parts, admin, study.id, revision=0),
        lambda: promote(parts, admin, DEFAULT_KEY, other.id, 0),
        lambda: roll_back(parts, admin, DEFAULT_KEY, 0),
        lambda: roll_back(parts, admin, DEFAULT_KEY, 7),
    )
    for act in stale:
        with pytest.raises(Conflict, match="revision 1, not"):
            act()
    assert load_current(parts.published).version == "v1.1.0"


def test_a_candidate_is_released_when_it_is_promoted(parts: Parts, admin: Actor, folder: Path) -> None:
    fresh = candidate(parts, changelog="Warmer.")
    done = promote(parts, admin, DEFAULT_KEY, fresh.id, 0, note="try it")
    assert (done.version.name, done.version.status, done.pointer.revision) == ("v1.1.0", "released", 1)
    assert load_current(parts.published).changelog == "Warmer."
    check_files(parts, folder)


def test_names_follow_from_what_changed(parts: Parts, admin: Actor) -> None:
    mood = candidate(parts, variables={**live(parts)[1].variables, "mood": Variable(default="calm")})
    assert promote(parts, admin, DEFAULT_KEY, mood.id, 0).version.name == "v2.0.0"
    major = candidate(parts, components={"local": {"prompt": "One slot."}})
    assert promote(parts, admin, DEFAULT_KEY, major.id, 1).version.name == "v3.0.0"
    same = live(parts)[1].components
    patch = candidate(parts, components=same, changelog="Only words about it.")
    assert promote(parts, admin, DEFAULT_KEY, patch.id, 2).version.name == "v3.0.1"
    minor = candidate(parts, components=same, parameter_defaults={"local": {"exposure": 1.0}})
    assert promote(parts, admin, DEFAULT_KEY, minor.id, 3).version.name == "v3.1.0"
    roll_back(parts, admin, DEFAULT_KEY, 4, version_id=major.id)
    again = candidate(parts, components=same, parameter_defaults={"local": {"exposure": 0.5}})
    assert promote(parts, admin, DEFAULT_KEY, again.id, 5).version.name == "v3.2.0"


def test_a_child_of_what_was_never_released_is_refused(parts: Parts, admin: Actor) -> None:
    child = candidate(parts, parents=(candidate(parts).id,))
    with pytest.raises(InvalidRequest, match="parent"):
        promote(parts, admin, DEFAULT_KEY, child.id, 0)


def test_a_version_that_cannot_be_published_is_not_promoted(parts: Parts, admin: Actor) -> None:
    texts = {"local": {f"slot{number}": "x" * 20_000 for number in range(20)}, "other": {}}
    whole = {**texts, **{f"g{number}": texts["local"] for number in range(5)}}
    for components, why in (({"local": {"prompt": "x" * 20_001}}, "20000"), (whole, "shorten")):
        with pytest.raises(InvalidRequest, match=why):
            promote(parts, admin, DEFAULT_KEY, candidate(parts, components=components).id, 0)
    assert live(parts)[0].revision == 0


def test_promoting_the_same_again_gets_the_same_answer(parts: Parts, admin: Actor, clock: FixedClock) -> None:
    first, second = candidate(parts), candidate(parts)
    done = promote(parts, admin, DEFAULT_KEY, first.id, 0)
    clock.advance(minutes=1)
    assert promote(parts, admin, DEFAULT_KEY, first.id, 0) == done
    promote(parts, admin, DEFAULT_KEY, second.id, 1)
    assert promote(parts, admin, DEFAULT_KEY, first.id, 0) == done
    assert load_current(parts.published).version == "v1.2.0"
    assert len(moves(parts, admin)) == 3


def test_promoting_what_is_live_changes_nothing(parts: Parts, admin: Actor) -> None:
    pointer, version = live(parts)
    assert promote(parts, admin, DEFAULT_KEY, version.id, 0) == Promotion(version, pointer)
    assert moves(parts, admin) == [("adopted", "", "v1.0.0", 0)]


def test_a_rollback_is_a_new_event_and_what_was_live_stays(parts: Parts, admin: Actor, folder: Path) -> None:
    promoted(parts, admin, 2)
    done = roll_back(parts, admin, DEFAULT_KEY, 2, note="too warm")
    assert (done.version.name, done.pointer.revision) == ("v1.1.0", 3)
    assert roll_back(parts, admin, DEFAULT_KEY, 2, note="too warm") == done
    assert list_versions(parts.published) == ("v1.0.0", "v1.1.0", "v1.2.0")
    check_files(parts, folder)
    assert history(parts, admin, DEFAULT_KEY)[0] == Move(
        parts.clock.now(), "the terminal", "prompt.rolled_back", "v1.2.0", "v1.1.0", 3, "too warm"
    )


def test_a_rollback_goes_to_a_named_version(parts: Parts, admin: Actor) -> None:
    first = live(parts)[1]
    promoted(parts, admin, 2)
    done = roll_back(parts, admin, DEFAULT_KEY, 2, version_id=first.id)
    assert done.version == first
    with pytest.raises(Conflict, match="live already"):
        roll_back(parts, admin, DEFAULT_KEY, 3, version_id=first.id)
    with pytest.raises(Conflict, match="promote it instead"):
        roll_back(parts, admin, DEFAULT_KEY, 3, version_id=candidate(parts).id)


def test_there_may_be_nothing_to_go_back_to(parts: Parts, admin: Actor) -> None:
    with pytest.raises(Conflict, match="no earlier version"):
        roll_back(parts, admin, DEFAULT_KEY, 0)


def test_history_says_who_made_what_live(parts: Parts, admin: Actor) -> None:
    promoted(parts, admin, 1)
    roll_back(parts, admin, DEFAULT_KEY, 1)
    assert moves(parts, admin) == [
        ("rolled_back", "v1.1.0", "v1.0.0", 2),
        ("promoted", "v1.0.0", "v1.1.0", 1),
        ("adopted", "", "v1.0.0", 0),
    ]
    with parts.store.read() as tx:
        events = sorted(tx.events.all(project_id=admin.project_id), key=lambda event: event.number)
    assert list(faults(events)) == []
    assert events[-1].details == {"prompt": DEFAULT_KEY, "from": "v1.1.0", "to": "v1.0.0", "revision": "2"}
    assert events[-1].object_id == live(parts)[0].id


def test_a_withdrawn_version_is_gone_for_good(parts: Parts, admin: Actor, folder: Path) -> None:
    (done,) = promoted(parts, admin)
    with pytest.raises(Conflict, match="is live"):
        withdraw(parts, admin, done.version.id)
    roll_back(parts, admin, DEFAULT_KEY, 1)
    gone = withdraw(parts, admin, done.version.id, note="it leaks")
    assert gone.status == "withdrawn"
    assert list_versions(parts.published) == ("v1.0.0",)
    assert withdraw(parts, admin, done.version.id) == gone
    back: tuple[Callable[[], object], ...] = (
        lambda: promote(parts, admin, DEFAULT_KEY, gone.id, 2),
        lambda: roll_back(parts, admin, DEFAULT_KEY, 2, version_id=gone.id),
    )
    for act in back:
        with pytest.raises(Conflict, match="withdrawn"):
            act()
    with pytest.raises(Conflict, match="no earlier version"):
        roll_back(parts, admin, DEFAULT_KEY, 2)
    (again,) = promoted(parts, admin)
    assert again.version.name == "v1.2.0"
    check_files(parts, folder)


def test_a_candidate_cannot_be_withdrawn(parts: Parts, admin: Actor) -> None:
    with pytest.raises(Conflict, match="never released"):
        withdraw(parts, admin, candidate(parts).id)


def test_a_rollback_passes_over_what_was_withdrawn(parts: Parts, admin: Actor) -> None:
    first, second = promoted(parts, admin, 2)
    withdraw(parts, admin, first.version.id)
    assert roll_back(parts, admin, DEFAULT_KEY, 2).version.name == "v1.0.0"
    assert second.version.name == "v1.2.0"


def acts(study: Study) -> tuple[Act, ...]:
    return (
        lambda parts, actor: promote(parts, actor, DEFAULT_KEY, live(parts)[1].id, 0),
        lambda parts, actor: roll_back(parts, actor, DEFAULT_KEY, 0),
        lambda parts, actor: withdraw(parts, actor, live(parts)[1].id),
        lambda parts, actor: history(parts, actor, DEFAULT_KEY),
        lambda parts, actor: publish_best(parts, actor, study.id),
    )


def test_only_admins_publish(parts: Parts, admin: Actor, study: Study) -> None:
    for actor in (replace(admin, role="rater"), replace(admin, role="service", scopes=("prompts:read",))):
        for act in acts(study):
            with pytest.raises(Forbidden):
                act(parts, actor)


def test_another_project_does_not_exist(parts: Parts, admin: Actor, study: Study) -> None:
    for act in acts(study):
        with pytest.raises(NotFound):
            act(parts, replace(admin, project_id=new_id()))


def test_a_version_of_another_prompt_is_not_found(parts: Parts, admin: Actor, clock: FixedClock) -> None:
    other = replace(live(parts)[1], id=new_id(), prompt_key="other")
    with parts.store.begin() as tx:
        tx.prompts.add(Prompt("other", admin.project_id, clock.now()))
        tx.versions.add(other)
    with pytest.raises(NotFound):
        promote(parts, admin, DEFAULT_KEY, other.id, 0)
    with pytest.raises(NotFound):
        withdraw(parts, admin, new_id())


def test_what_was_said_of_people_is_in_no_file(parts: Parts, store: SqlStore, study: Study, folder: Path) -> None:
    with store.begin() as tx:
        project = tx.projects.get(study.project_id)
    assert isinstance(project, Project)
    person = Actor(new_id(), "anna@example.org", study.project_id, "admin")
    learn(parts, study, {"exposure": 0.25})
    publish_best(parts, person, study.id, note="anna says yes")
    for path in folder.rglob("*.json"):
        for secret in (person.user_id, person.email, "anna", project.id, study.id):
            assert secret not in path.read_text()


def test_meta_says_since_when(parts: Parts, admin: Actor, folder: Path, clock: FixedClock) -> None:
    assert not (folder / "versions" / "current.meta.json").exists()
    clock.advance(hours=2)
    (done,) = promoted(parts, admin)
    meta = json.loads((folder / "versions" / "current.meta.json").read_text())
    since = clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    assert meta == {"version": "v1.1.0", "sha256": done.version.sha256, "revision": 1, "promoted_at": since}
