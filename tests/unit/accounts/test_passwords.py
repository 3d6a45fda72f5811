import time
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from ml_service.errors import Conflict, InvalidRequest, NotFound, Throttled, Unauthorized
from tests.clock import FixedClock
from tests.hashes import CountedHashes
from tests.world import World, make_world
from web.adapters.database.store import SqlStore
from web.adapters.passwords import Argon2
from web.domain.access import Actor, Role
from web.domain.audit.audit import faults
from web.jobs.schedule import tick
from web.services.accounts import accounts, members, passwords, sessions
from web.services.accounts.throttle import ADDRESS, ADDRESS_EVERYWHERE, LINK, NETWORK, Throttle

GOOD, BETTER = "zufriedener Hund am See", "kupfer Fagott, 12 Regale"
KEY = b"k" * 32


@pytest.fixture
def hashes() -> CountedHashes:
    return CountedHashes()


@pytest.fixture
def world(store: SqlStore, clock: FixedClock, tmp_path: Path, hashes: CountedHashes) -> World:
    made = make_world(store, clock, tmp_path, inputs=0)
    made.parts = replace(made.parts, passwords=hashes)
    return made


def throttle(world: World, network: str = "192.0.2.1") -> Throttle:
    return Throttle(world.parts, KEY, network)


def who(world: World, session: str) -> Actor | None:
    with world.parts.store.read() as tx:
        return tx.of_people.actor(sessions.digest(session), world.clock.now())


def come_in(world: World, email: str, password: str = "", role: Role = "rater") -> Actor:
    secret = accounts.invite(world.parts, world.admin, role, email)
    actor = who(world, accounts.come_in(world.parts, throttle(world), secret, password))
    assert actor is not None
    return actor


def sign_in(world: World, email: str, password: str, network: str = "192.0.2.1") -> Actor:
    actor = who(world, passwords.sign_in(world.parts, throttle(world, network), email, password, "Firefox on Linux"))
    assert actor is not None
    return actor


@pytest.fixture
def rita(world: World) -> Actor:
    return come_in(world, "rita@example.org", GOOD)


def test_a_password_chosen_with_a_link_signs_in(world: World, rita: Actor) -> None:
    again = sign_in(world, " Rita@Example.org ", GOOD)
    assert (again.user_id, again.role) == (rita.user_id, "rater")
    assert again.session_id != rita.session_id
    with world.parts.store.read() as tx:
        session = tx.sessions.get(again.session_id)
        kept = tx.passwords.get(rita.user_id)
    assert (session.via, session.client) == ("password", "Firefox on Linux")
    assert kept.hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_a_password_may_be_any_text_in_any_form(world: World) -> None:
    chosen = "Ärger über 三つの月 🌙  "
    come_in(world, "a@example.org", unicodedata.normalize("NFD", chosen))
    assert sign_in(world, "a@example.org", unicodedata.normalize("NFC", chosen)).email == "a@example.org"
    with pytest.raises(Unauthorized):
        sign_in(world, "a@example.org", chosen.strip())


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short and", "10 characters or more"),
        ("x y" * 50, "at most 128"),
        ("é" * 100_000, "at most 128"),
        ("password1234", "common"),
        ("aaaaaaaaaaaaaaaaaaaaaaaaa", "Repeats"),
        ("qwertyuiop123", "too easy"),
        ("20010101200101", "too easy"),
        ("rita@example.org", "too easy"),
        ("ritaexample1", "too easy"),
        ("palatepalate", "too easy"),
        ("Palate2026!!", "too easy"),
    ],
)
def test_a_password_that_is_easy_to_guess_is_refused_with_the_reason(password: str, why: str) -> None:
    with pytest.raises(InvalidRequest, match=why) as refused:
        passwords.checked(password, "rita@example.org")
    assert password not in str(refused.value)


def test_a_refused_password_leaves_the_link_unused(world: World) -> None:
    secret = accounts.invite(world.parts, world.admin, "rater", "rita@example.org")
    with pytest.raises(InvalidRequest, match="too easy"):
        accounts.come_in(world.parts, throttle(world), secret, "password1234")
    assert accounts.open_link(world.parts, secret).link.used_at is None


@pytest.mark.parametrize(
    "password",
    [
        "xkqzvwpjtm",
        "correct horse battery",
        "0123 4 dürre Äste",
        "ヴァイオリンと夜明けの珈琲",
        "".join(chr(33 + number * 37 % 90) for number in range(128)),
    ],
)
def test_a_password_that_is_hard_to_guess_needs_no_special_characters(password: str) -> None:
    assert passwords.checked(password, "rita@example.org") == password


def test_the_longest_and_worst_password_is_judged_in_no_time() -> None:
    began = time.process_time()
    passwords.checked(r"|20(6@595&<<331!64$5{|$8" * 5, "rita@example.org")
    assert time.process_time() - began < 0.5


WRONG: dict[str, Callable[[World, Actor], tuple[str, str]]] = {
    "unknown": lambda world, rita: ("nobody@example.org", GOOD),
    "no address": lambda world, rita: ("\x00 no address", GOOD),
    "wrong": lambda world, rita: ("rita@example.org", BETTER),
    "empty": lambda world, rita: ("rita@example.org", ""),
    "endless": lambda world, rita: ("rita@example.org", GOOD * 1000),
    "none set": lambda world, rita: (come_in(world, "bare@example.org").email, GOOD),
    "deactivated": lambda world, rita: _deactivated(world, rita),
    "erased": lambda world, rita: _erased(world, rita),
}


def _deactivated(world: World, rita: Actor) -> tuple[str, str]:
    members.deactivate(world.parts, world.admin, rita.user_id)
    return rita.email, GOOD


def _erased(world: World, rita: Actor) -> tuple[str, str]:
    with world.parts.store.begin() as tx:
        tx.passwords.remove(id=rita.user_id)
        user = tx.users.get(rita.user_id)
        tx.users.replace(replace(user, email=f"erased-{user.id}", active=False, erased_at=world.clock.now()))
    return rita.email, GOOD


@pytest.mark.parametrize("case", WRONG)
def test_whatever_is_wrong_the_answer_and_the_work_are_the_same(
    world: World, rita: Actor, hashes: CountedHashes, case: str
) -> None:
    email, password = WRONG[case](world, rita)
    with pytest.raises(Unauthorized):
        sign_in(world, "first@example.org", GOOD)  # makes the hash that accounts without a password are compared with
    hashes.taken()
    with pytest.raises(Unauthorized) as refused:
        sign_in(world, email, password)
    assert str(refused.value) == passwords.WRONG
    assert hashes.taken() == {"verify": 1}


def test_also_the_first_wrong_try_of_a_process_takes_as_many_hashes_for_everybody(
    store: SqlStore, clock: FixedClock, tmp_path: Path
) -> None:
    world = make_world(store, clock, tmp_path, inputs=0)
    come_in(world, "rita@example.org", GOOD)
    work = []
    for email in ("nobody@example.org", "rita@example.org"):
        fresh = CountedHashes()
        world.parts = replace(world.parts, passwords=fresh)
        with pytest.raises(Unauthorized):
            sign_in(world, email, BETTER)
        work.append(fresh.taken())
    assert work[0] == work[1] == {"hash": 1, "verify": 1}


@pytest.mark.parametrize("email", ["rita@example.org", "nobody@example.org"])
def test_after_five_wrong_tries_nothing_is_hashed_for_a_quarter_of_an_hour(
    world: World, rita: Actor, hashes: CountedHashes, email: str
) -> None:
    for _ in range(5):
        with pytest.raises(Unauthorized):
            sign_in(world, email, BETTER)
        world.clock.advance(minutes=1)
    hashes.taken()
    with pytest.raises(Throttled, match=r"in 10 minutes, or ask an admin for a sign-in link") as refused:
        sign_in(world, email, GOOD)
    assert refused.value.retry_after == 600
    assert hashes.taken() == {}
    world.clock.advance(seconds=599)
    with pytest.raises(Throttled, match="in a minute"):
        sign_in(world, email, GOOD)
    world.clock.advance(seconds=1)
    if email == rita.email:
        sign_in(world, email, GOOD)
    else:
        with pytest.raises(Unauthorized):
            sign_in(world, email, GOOD)


def test_a_stranger_who_tries_an_account_does_not_shut_its_owner_out(world: World, rita: Actor) -> None:
    for _ in range(20):
        with pytest.raises((Unauthorized, Throttled)):
            sign_in(world, "rita@example.org", BETTER, "198.51.100.7")
    assert sign_in(world, "rita@example.org", GOOD).user_id == rita.user_id


@pytest.mark.parametrize("email", ["rita@example.org", "nobody@example.org"])
def test_an_account_that_is_tried_from_everywhere_is_throttled_everywhere_for_a_while(
    world: World, rita: Actor, hashes: CountedHashes, email: str
) -> None:
    for number in range(ADDRESS_EVERYWHERE.most):
        throttle(world, f"198.51.100.{number}").count((ADDRESS_EVERYWHERE, email))
    hashes.taken()
    with pytest.raises(Throttled, match="ask an admin"):
        sign_in(world, email, GOOD)
    assert hashes.taken() == {}
    assert come_in(world, rita.email).user_id == rita.user_id
    world.clock.advance(minutes=15)
    assert sign_in(world, rita.email, GOOD).user_id == rita.user_id


def test_what_is_refused_writes_nothing(world: World, rita: Actor) -> None:
    guard = throttle(world)
    for _ in range(NETWORK.most):
        guard.count((NETWORK, guard.network))
    with world.parts.store.read() as tx:
        before = tx.attempts.all()
    for number in range(5):
        with pytest.raises(Throttled):
            sign_in(world, f"nobody{number}@example.org", GOOD)
    with world.parts.store.read() as tx:
        assert tx.attempts.all() == before


def test_right_tries_count_for_nothing(world: World, rita: Actor) -> None:
    sign_in(world, "rita@example.org", GOOD)
    with world.parts.store.read() as tx:
        assert [attempts.count for attempts in tx.attempts.all()] == [0, 0]


def test_twenty_wrong_tries_at_once_take_five_hashes(world: World, rita: Actor, hashes: CountedHashes) -> None:
    def attempt(_: int) -> type[Exception]:
        with pytest.raises((Unauthorized, Throttled)) as refused:
            sign_in(world, "rita@example.org", BETTER)
        return refused.type

    with pytest.raises(Unauthorized):
        sign_in(world, "first@example.org", GOOD)
    hashes.taken()
    with ThreadPoolExecutor(20) as pool:
        kinds = list(pool.map(attempt, range(20)))
    assert (kinds.count(Unauthorized), kinds.count(Throttled)) == (5, 15)
    assert hashes.taken() == {"verify": 5}


def test_a_success_forgets_the_wrong_tries_before_it(world: World, rita: Actor) -> None:
    for _ in range(3):
        for _ in range(4):
            with pytest.raises(Unauthorized):
                sign_in(world, "rita@example.org", BETTER)
        sign_in(world, "rita@example.org", GOOD)


def test_throttling_ends_no_session_and_a_link_of_an_admin_goes_round_it(world: World, rita: Actor) -> None:
    for _ in range(6):
        with pytest.raises((Unauthorized, Throttled)):
            sign_in(world, "rita@example.org", BETTER)
    with world.parts.store.read() as tx:
        assert tx.sessions.get(rita.session_id).revoked_at is None
    assert come_in(world, "rita@example.org").user_id == rita.user_id


def test_one_network_that_tries_many_addresses_is_throttled_and_no_other(world: World, rita: Actor) -> None:
    guard = throttle(world)
    for _ in range(NETWORK.most):
        guard.count((NETWORK, guard.network))
    with pytest.raises(Throttled, match="from your network"):
        sign_in(world, "rita@example.org", GOOD)
    assert sign_in(world, "rita@example.org", GOOD, "198.51.100.7").user_id == rita.user_id


def test_guessing_links_is_throttled_and_a_right_one_is_not_counted(world: World) -> None:
    for number in range(LINK.most):
        come_in(world, f"new{number}@example.org")
    for _ in range(LINK.most):
        with pytest.raises(NotFound):
            accounts.come_in(world.parts, throttle(world), "guess")
    with pytest.raises(Throttled):
        accounts.come_in(world.parts, throttle(world), "guess")
    with pytest.raises(NotFound):
        accounts.come_in(world.parts, throttle(world, "198.51.100.7"), "guess")
    world.clock.advance(minutes=15)
    come_in(world, "late@example.org")


def test_counts_of_tries_name_nobody_and_are_deleted_after_a_day(world: World, rita: Actor) -> None:
    with pytest.raises(Unauthorized):
        sign_in(world, "rita@example.org", BETTER)
    with world.parts.store.read() as tx:
        kept = tx.attempts.all()
    assert len(kept) == 3
    assert not any(word in repr(kept) for word in ("rita", "192.0.2.1"))
    other_key = Throttle(world.parts, b"x" * 32, "192.0.2.1")
    other_key.count((ADDRESS, "rita@example.org"))
    with world.parts.store.read() as tx:
        assert len(tx.attempts.all()) == 4
    world.clock.advance(hours=24)
    tick(world.parts)
    with world.parts.store.read() as tx:
        assert len(tx.attempts.all()) == 4
    world.clock.advance(seconds=1)
    tick(world.parts)
    with world.parts.store.read() as tx:
        assert tx.attempts.all() == ()


def test_changing_a_password_needs_the_current_one_and_ends_other_sessions_and_links(world: World, rita: Actor) -> None:
    here, there = sign_in(world, "rita@example.org", GOOD), sign_in(world, "rita@example.org", GOOD)
    waiting = accounts.renew_link(world.parts, world.admin, rita.user_id)
    with pytest.raises(InvalidRequest, match="current password is not right"):
        passwords.choose_password(world.parts, throttle(world), here, BETTER)
    passwords.choose_password(world.parts, throttle(world), here, BETTER, GOOD)
    with world.parts.store.read() as tx:
        running = {session.id for session in tx.sessions.all(user_id=rita.user_id, revoked_at=None)}
    assert running == {here.session_id}
    assert there.session_id not in running
    with pytest.raises(Exception, match="used already"):
        accounts.use_link(world.parts, waiting)
    with pytest.raises(Unauthorized):
        sign_in(world, "rita@example.org", GOOD)
    sign_in(world, "rita@example.org", BETTER)


def test_guessing_the_current_password_is_throttled_before_it_is_hashed(
    world: World, rita: Actor, hashes: CountedHashes
) -> None:
    here = sign_in(world, "rita@example.org", GOOD)
    for _ in range(5):
        with pytest.raises(InvalidRequest):
            passwords.choose_password(world.parts, throttle(world), here, BETTER, "a guess")
    hashes.taken()
    with pytest.raises(Throttled, match="sign in by a link"):
        passwords.choose_password(world.parts, throttle(world), here, BETTER, GOOD)
    assert hashes.taken() == {}


def test_who_just_came_by_a_link_may_replace_a_forgotten_password(world: World, rita: Actor) -> None:
    by_link = come_in(world, "rita@example.org")
    assert not passwords.password_state(world.parts, by_link).needs_current
    world.clock.advance(minutes=15)
    assert passwords.password_state(world.parts, by_link).needs_current
    with pytest.raises(InvalidRequest, match="current"):
        passwords.choose_password(world.parts, throttle(world), by_link, BETTER)
    fresh = come_in(world, "rita@example.org")
    passwords.choose_password(world.parts, throttle(world), fresh, BETTER)
    sign_in(world, "rita@example.org", BETTER)


def test_a_new_password_on_a_link_ends_the_sessions_there_were(world: World, rita: Actor) -> None:
    reset = come_in(world, "rita@example.org", BETTER)
    with world.parts.store.read() as tx:
        assert [each.id for each in tx.sessions.all(user_id=rita.user_id, revoked_at=None)] == [reset.session_id]


def test_the_first_password_needs_no_current_one(world: World) -> None:
    bare = come_in(world, "bare@example.org")
    world.clock.advance(days=1)
    assert passwords.password_state(world.parts, bare).set_at is None
    passwords.choose_password(world.parts, throttle(world), bare, GOOD)
    assert passwords.password_state(world.parts, bare).set_at == world.clock.now()


def test_an_outdated_hash_is_renewed_when_its_owner_signs_in(world: World, rita: Actor, hashes: CountedHashes) -> None:
    old = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(GOOD)
    with world.parts.store.begin() as tx:
        kept = tx.passwords.replace(replace(tx.passwords.get(rita.user_id), hash=old))
    hashes.taken()
    sign_in(world, "rita@example.org", GOOD)
    with world.parts.store.read() as tx:
        renewed = tx.passwords.get(rita.user_id)
    assert renewed.hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert renewed.set_at == kept.set_at
    sign_in(world, "rita@example.org", GOOD)
    assert not Argon2().is_outdated(renewed.hash)


class Interrupting(CountedHashes):
    """Does something while a password is being compared."""

    def __init__(self, what: Callable[[], object]) -> None:
        super().__init__()
        self.what = what

    def verify(self, hashed: str, password: str) -> bool:
        right = super().verify(hashed, password)
        self.what()
        return right


@pytest.mark.parametrize("meanwhile", ["changed", "deactivated"])
def test_who_loses_the_right_while_the_password_is_compared_does_not_get_in(
    world: World, rita: Actor, meanwhile: str
) -> None:
    def change() -> None:
        world.clock.advance(seconds=1)
        with world.parts.store.begin() as tx:
            passwords.keep_password(tx, rita.user_id, Argon2().hash(BETTER), world.clock.now())

    def deactivate() -> None:
        members.deactivate(world.parts, world.admin, rita.user_id)

    change_it = {"changed": change, "deactivated": deactivate}[meanwhile]
    slow = replace(world.parts, passwords=Interrupting(change_it))
    with pytest.raises(Unauthorized):
        passwords.sign_in(slow, throttle(world), "rita@example.org", GOOD)


def test_a_password_that_was_changed_meanwhile_is_not_changed_again(world: World, rita: Actor) -> None:
    here = sign_in(world, "rita@example.org", GOOD)

    def change() -> None:
        with world.parts.store.begin() as tx:
            passwords.keep_password(tx, rita.user_id, Argon2().hash(BETTER), world.clock.now())

    slow = replace(world.parts, passwords=Interrupting(change))
    with pytest.raises(Conflict, match="changed meanwhile"):
        passwords.choose_password(slow, throttle(world), here, "a third password, why not", GOOD)


@pytest.mark.parametrize("meanwhile", ["signed out", "deactivated"])
def test_who_is_shut_out_while_their_password_is_compared_chooses_none(
    world: World, rita: Actor, meanwhile: str
) -> None:
    here = sign_in(world, "rita@example.org", GOOD)
    end = {"signed out": members.sign_out_everywhere, "deactivated": members.deactivate}[meanwhile]
    slow = Interrupting(lambda: end(world.parts, world.admin, rita.user_id))
    with pytest.raises(Unauthorized, match="ended meanwhile"):
        passwords.choose_password(replace(world.parts, passwords=slow), throttle(world), here, BETTER, GOOD)
    with world.parts.store.read() as tx:
        assert Argon2().verify(tx.passwords.get(rita.user_id).hash, GOOD)


def test_sessions_are_listed_and_ended_by_their_owner_only(world: World, rita: Actor) -> None:
    clock = world.clock
    here = sign_in(world, "rita@example.org", GOOD)
    assert [each.id for each in sessions.own_sessions(world.parts, here)] == [
        here.session_id,
        rita.session_id,
    ]
    bob = come_in(world, "bob@example.org")
    with pytest.raises(NotFound):
        sessions.end_session(world.parts, bob, here.session_id)
    for _ in range(2):
        sessions.end_session(world.parts, here, rita.session_id)
    assert [each.id for each in sessions.own_sessions(world.parts, here)] == [here.session_id]
    clock.advance(days=30)
    assert sessions.own_sessions(world.parts, here) == ()


def test_ending_all_others_leaves_this_one(world: World, rita: Actor) -> None:
    here = sign_in(world, "rita@example.org", GOOD)
    sign_in(world, "rita@example.org", GOOD)
    bob = come_in(world, "bob@example.org")
    assert sessions.end_other_sessions(world.parts, here) == 2
    assert sessions.end_other_sessions(world.parts, here) == 0
    assert [each.id for each in sessions.own_sessions(world.parts, here)] == [here.session_id]
    assert len(sessions.own_sessions(world.parts, bob)) == 1


def test_an_admin_signs_a_member_out_everywhere(world: World, rita: Actor) -> None:
    waiting = accounts.renew_link(world.parts, world.admin, rita.user_id)
    members.sign_out_everywhere(world.parts, world.admin, rita.user_id)
    assert sessions.own_sessions(world.parts, rita) == ()
    with pytest.raises(Exception, match="used already"):
        accounts.use_link(world.parts, waiting)
    sign_in(world, "rita@example.org", GOOD)


def test_all_of_it_is_in_the_audit_chain_without_a_secret(world: World, rita: Actor) -> None:
    here = sign_in(world, "rita@example.org", GOOD)
    passwords.choose_password(world.parts, throttle(world), here, BETTER, GOOD)
    with pytest.raises(Unauthorized):
        sign_in(world, "rita@example.org", GOOD)
    with world.parts.store.read() as tx:
        events = tx.events.all(project_id=world.admin.project_id)
        users, links, kept = tx.users.all(), tx.links.all(), tx.passwords.all()
    mine = [event for event in events if event.actor_id == rita.user_id]
    assert [event.action for event in mine] == [
        *("link.used", "role.taken", "session.begun", "password.set"),
        "session.begun",
        *("password.set", "session.ended"),
    ]
    assert [event.details for event in mine if event.action == "session.begun"] == [
        {"via": "link"},
        {"via": "password"},
    ]
    assert list(faults(sorted(events, key=lambda event: event.number))) == []
    assert not any(word in repr((events, users, links)) for word in (GOOD, BETTER, kept[0].hash))
    assert not any(word in repr((events, kept)) for word in (GOOD, BETTER, "rita", "argon2"))
