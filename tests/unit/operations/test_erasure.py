"""Erasing people and photos: nothing of them is left anywhere, nothing that was learnt is lost, and the chain holds."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from ml_service.errors import Conflict, Forbidden, Gone, InvalidRequest, NotFound, Unauthorized
from tests.clock import FixedClock
from tests.world import World, answer, make_world, photo
from web.adapters.database.store import SqlStore
from web.adapters.database.tables.base import metadata
from web.domain.access import Actor, Role
from web.domain.accounts import Membership
from web.domain.ids import new_id
from web.domain.models.completion import Charge
from web.domain.prompts.feedback import Report
from web.domain.prompts.prompt import DEFAULT_KEY
from web.domain.rating.enrolment import Enrolment
from web.domain.rating.rating import Exclusion
from web.domain.studies.experiment import Output
from web.domain.studies.study import Project
from web.rows.transaction import Transaction
from web.services.accounts import accounts, members, passwords
from web.services.accounts.keys import KeyDraft, make_key
from web.services.accounts.throttle import Throttle
from web.services.audit.record import record
from web.services.learning import requests
from web.services.operations import erasure
from web.services.operations.verify import Verification
from web.services.prompts import feedback, promotion
from web.services.rating import uploads
from web.services.studies import intake
from web.services.studies.studies import clone_study

pytestmark = pytest.mark.storage

KEY = b"a key for tests that is long enough"
ADDRESS = "rita.planted@example.org"
WORDS = ("planted", "Rita")
GOOD = "correct horse battery staple"


@pytest.fixture
def world(store: SqlStore, clock: FixedClock, tmp_path: Path) -> World:
    return make_world(store, clock, tmp_path, inputs=2)


def come_in(world: World, role: Role = "rater", email: str = ADDRESS) -> Actor:
    store = world.parts.store
    secret = accounts.invite(world.parts, world.admin, role, email)
    hashed = world.parts.passwords.hash(GOOD)
    accounts.use_link(world.parts, secret, client="Rita's phone", hashed=hashed)
    with store.read() as tx:
        user = tx.users.find(email=email)
        assert user is not None
        session = tx.sessions.find(user_id=user.id)
    assert session is not None
    return Actor(user.id, email, world.admin.project_id, role, session.id)


def rated(world: World, rater: Actor, *comments: str) -> list[str]:
    """Let somebody rate, and return the ids of the ratings."""
    options = [option for held in world.hold(rater).held for option in held.options]
    answers = [answer(option.option_id, comment=words) for option, words in zip(options, comments, strict=False)]
    assert world.rate(rater, *answers) == ["stored"] * len(comments)
    return [one.id for one in answers]


def busy(world: World) -> Actor:
    """Return an admin who has typed something wherever an admin can."""
    rita = come_in(world, "admin")
    rated(world, rita, "planted: too warm", "", "planted: too cold")
    source = intake.add_input(world.parts, rita, world.study.id, "planted birthday.jpg", photo(70))
    make_key(world.parts, rita, KeyDraft("Rita's laptop", ("prompts:read",)))
    accounts.invite(world.parts, rita, "rater", "guest@example.org")
    feedback.send(world.parts, rita, Report(new_id(), DEFAULT_KEY, "v1.0.0", score=2, comment="planted comment"))
    with world.parts.store.begin() as tx:
        now = world.clock.now()
        tx.exclusions.add(Exclusion(new_id(), world.study.id, rita.user_id, now, "planted reason", now))
        hers = Enrolment(new_id(), world.study.id, rita.user_id, now, pause_reason="planted pause")
        tx.enrolments.add(replace(hers, appeal="planted appeal", answered="planted answer", message="planted message"))
        other = Enrolment(new_id(), world.study.id, world.admin.user_id, now, pause_reason="planted by her")
        tx.enrolments.add(replace(other, paused_by=rita.user_id))
        tx.users.replace(replace(tx.users.get(rita.user_id), time_zone="Planted/Zone"))
        asked = Charge(new_id(), "", "test", rita.project_id, world.study.id, "some-model", 9, now, "settled", 9)
        tx.completions.add(replace(asked, answer='{"diagnosis": "planted: too warm"}'))
    with world.parts.store.begin() as tx:
        record(tx, now, rita, "input.added", ("input", source.id), after=source, note="planted note of hers")
    with world.parts.store.begin() as tx:
        record(tx, now, world.admin, "other.done", ("user", rita.user_id), note="planted note about her")
    return rita


def everything(world: World) -> str:
    """All that the database says."""
    with world.parts.store.read() as tx:
        return "\n".join(
            repr(row)
            for table in metadata.sorted_tables
            for row in tx.connection.execute(select(table))  # type: ignore[attr-defined]
        )


def faults(world: World) -> list[str]:
    return [found.says for found in Verification(world.parts, KEY).findings() if found.kind != "orphan"]


def test_nothing_is_left_that_says_who_it_was(world: World, database_url: str, engine: str) -> None:
    rita = busy(world)
    assert all(word in everything(world) for word in WORDS)
    erasure.erase_person(world.parts, world.admin, rita.user_id, f" {ADDRESS.upper()} ")
    left = everything(world)
    assert [word for word in WORDS if word in left] == []
    assert rita.user_id in left
    assert faults(world) == []
    if engine == "sqlite":
        path = Path(database_url.removeprefix("sqlite:///"))
        with sqlite3.connect(path) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        body = path.read_bytes()
        assert [word for word in WORDS if word.encode() in body] == []


def test_what_was_learnt_stays(world: World) -> None:
    rita = come_in(world)
    ids = rated(world, rita, "planted", "planted", "")
    with world.parts.store.read() as tx:
        before, told = tx.of_ratings.by_id(ids), requests.observations(tx, world.study)
    erasure.erase_person(world.parts, world.admin, rita.user_id, ADDRESS)
    with world.parts.store.read() as tx:
        after = tx.of_ratings.by_id(ids)
        assert requests.observations(tx, world.study) == told != ()
    now = world.clock.now()
    assert after == {
        key: replace(row, comment="", fingerprint="", changed_at=now) if row.comment else row
        for key, row in before.items()
    }


def test_the_person_is_out_at_once_and_for_good(world: World) -> None:
    store, rita = world.parts.store, come_in(world)
    waiting = accounts.renew_link(world.parts, world.admin, rita.user_id)
    erasure.erase_person(world.parts, world.admin, rita.user_id, ADDRESS)
    with store.read() as tx:
        assert tx.sessions.all(user_id=rita.user_id) == ()
    with pytest.raises(NotFound):
        accounts.use_link(world.parts, waiting)
    guard = Throttle(world.parts, KEY, "network")
    for address in (ADDRESS, f"erased person {rita.user_id[-12:]}"):
        with pytest.raises(Unauthorized):
            passwords.sign_in(world.parts, guard, address, GOOD)
    for again in (members.reactivate, accounts.renew_link):
        with pytest.raises(Gone, match="erased"):
            again(world.parts, world.admin, rita.user_id)
    newcomer = come_in(world)
    assert newcomer.user_id != rita.user_id
    assert faults(world) == []


def test_an_erased_admin_lets_nobody_in(world: World) -> None:
    rita = come_in(world, "admin")
    secret = accounts.invite(world.parts, rita, "admin", "guest@example.org")
    erasure.erase_person(world.parts, world.admin, rita.user_id, ADDRESS)
    with pytest.raises(Gone):
        accounts.use_link(world.parts, secret)


def test_erasing_twice_changes_nothing(world: World) -> None:
    rita = busy(world)
    erasure.erase_person(world.parts, world.admin, rita.user_id, ADDRESS)
    once = everything(world)
    for typed in (ADDRESS, "anything"):
        erasure.erase_person(world.parts, world.admin, rita.user_id, typed)
    assert everything(world) == once


@pytest.mark.parametrize("typed", ["", "erase", "rita.planted@example.com"])
def test_nothing_happens_unless_the_address_is_typed(world: World, typed: str) -> None:
    rita = come_in(world)
    before = everything(world)
    with pytest.raises(InvalidRequest, match="Nothing was erased"):
        erasure.erase_person(world.parts, world.admin, rita.user_id, typed)
    assert everything(world) == before


def test_what_was_on_its_way_is_erased_a_little_later(world: World) -> None:
    rita = come_in(world)
    erasure.erase_person(world.parts, world.admin, rita.user_id, ADDRESS)
    rated(world, rita, "planted late")  # a request that was let in before
    with world.parts.store.begin() as tx:
        passwords.keep_password(tx, rita.user_id, "planted hash", world.clock.now())
    world.work()
    assert "planted" in everything(world)
    world.clock.advance(minutes=3)
    world.work()
    assert "planted" not in everything(world)
    assert faults(world) == []
    erasure.forget_person(world.parts, world.admin.user_id)
    with world.parts.store.read() as tx:
        assert tx.users.get(world.admin.user_id).email == world.admin.email, "only who was erased is forgotten"


def test_the_last_admin_cannot_be_erased(world: World) -> None:
    with pytest.raises(Conflict, match="last admin"):
        erasure.erase_person(world.parts, world.admin, world.admin.user_id, world.admin.email)
    rita = come_in(world, "admin")
    erasure.erase_person(world.parts, rita, world.admin.user_id, world.admin.email)
    with pytest.raises(Conflict, match="last admin"):
        erasure.erase_person(world.parts, rita, rita.user_id, ADDRESS)


def test_only_admins_of_the_project_erase(world: World) -> None:
    rita, other = come_in(world), world.person()
    source = world.add_input(7)
    with pytest.raises(Forbidden):
        erasure.erase_person(world.parts, other, rita.user_id, ADDRESS)
    with pytest.raises(Forbidden):
        erasure.erase_input(world.parts, other, source.id, erasure.WORD)
    stranger = replace(world.admin, project_id=new_id())
    with pytest.raises(NotFound):
        erasure.erase_person(world.parts, stranger, rita.user_id, ADDRESS)
    with pytest.raises(NotFound):
        erasure.erase_input(world.parts, stranger, source.id, erasure.WORD)
    with pytest.raises(NotFound):
        erasure.erase_input(world.parts, world.admin, new_id(), erasure.WORD)


def test_a_member_of_two_projects_is_erased_from_the_terminal_only(world: World) -> None:
    rita, now = come_in(world), world.clock.now()
    with world.parts.store.begin() as tx:
        other = tx.projects.add(Project(new_id(), "Other", now))
        tx.memberships.add(Membership(new_id(), other.id, rita.user_id, "rater", now))
    with pytest.raises(Conflict, match="another project"):
        erasure.erase_person(world.parts, world.admin, rita.user_id, ADDRESS)
    erasure.erase_person(world.parts, accounts.operator(world.parts), rita.user_id, ADDRESS)
    assert "planted" not in everything(world)


def test_a_photo_goes_wherever_the_project_has_it(world: World) -> None:
    source = intake.add_input(world.parts, world.admin, world.study.id, "planted.jpg", photo(70))
    clone_study(world.parts, world.admin, world.study.id, "Copy")
    rater = world.person()
    upload = uploads.upload_to_rate(world.parts, rater, "tab", input_id=source.id, study_id=world.study.id)
    world.work()
    shown = uploads.watch_upload(world.parts, rater, upload.experiment_id).shown
    assert world.rate(rater, answer(shown[0].option_id, comment="planted words")) == ["stored"]
    with world.parts.store.read() as tx:
        copies = tx.inputs.all(content_hash=source.content_hash)
        made = [output.object_key for copy in copies for output in _outputs(tx, copy.id)]
    kept = {name for name in world.parts.objects.list() if source.content_hash not in name} - set(made)
    erasure.erase_input(world.parts, world.admin, source.id, "ERASE ")
    assert "planted" not in everything(world)
    assert set(world.parts.objects.list()) == kept
    with world.parts.store.read() as tx:
        copies = tx.inputs.all(content_hash=source.content_hash)
        assert len(copies) == 2
        assert all(copy.removed_at is not None and copy.name == "erased" for copy in copies)
        assert all(output.removed_at is not None for copy in copies for output in _outputs(tx, copy.id))
        assert requests.observations(tx, world.study) == ()
    assert faults(world) == []
    once = everything(world)
    erasure.erase_input(world.parts, world.admin, source.id, "erase")
    assert everything(world) == once


def _outputs(tx: Transaction, input_id: str) -> tuple[Output, ...]:
    ids = tuple(option.output_id for option in tx.options.all(input_id=input_id) if option.output_id)
    return tx.outputs.all(id=ids)


def test_a_photo_that_was_taken_down_loses_what_is_left_of_its_name(world: World) -> None:
    source = world.add_input(70)
    with world.parts.store.begin() as tx:
        tx.inputs.replace(replace(source, stratum="planted", related="planted group", reference="planted"))
    intake.take_down(world.parts, world.admin, source.id)
    with pytest.raises(InvalidRequest):
        erasure.erase_input(world.parts, world.admin, source.id, "yes")
    erasure.erase_input(world.parts, world.admin, source.id, "erase")
    assert "planted" not in everything(world)
    assert faults(world) == []


def test_the_photos_that_somebody_brought_go_with_them_where_that_is_wanted(world: World) -> None:
    rita = come_in(world, "admin")
    mine = [intake.add_input(world.parts, rita, world.study.id, "planted", photo(seed)) for seed in (70, 71)]
    intake.take_down(world.parts, world.admin, mine[0].id)
    assert erasure.photos_of(world.parts, world.admin, rita.user_id) == 1
    erasure.erase_person(world.parts, world.admin, rita.user_id, ADDRESS)
    assert mine[1].object_key in world.parts.objects.list()
    erasure.erase_person(world.parts, world.admin, rita.user_id, "", photos=True)
    assert mine[1].object_key not in world.parts.objects.list()
    assert erasure.photos_of(world.parts, world.admin, rita.user_id) == 0
    assert "planted" not in everything(world)
    assert faults(world) == []


def test_the_history_of_a_prompt_names_nobody_who_was_erased(world: World) -> None:
    rita = come_in(world, "admin")
    with world.parts.store.begin() as tx:
        found = tx.pointers.all(kind="environment")[0]
        details = {"prompt": DEFAULT_KEY, "from": "v1.0.0", "to": "v1.0.0", "revision": "1"}
        subject, note = ("pointer", found.id), "planted why"
        record(tx, world.clock.now(), rita, promotion.PROMOTED, subject, after=found, details=details, note=note)
    erasure.erase_person(world.parts, world.admin, rita.user_id, ADDRESS)
    told = promotion.history(world.parts, world.admin, DEFAULT_KEY)[0]
    assert (told.actor, told.note) == (f"erased person {rita.user_id[-12:]}", "")
