from collections import Counter
from collections.abc import Callable
from threading import Thread

import pytest

from ml_service.errors import Conflict, Forbidden, Gone, InvalidRequest, NotFound, ServiceError
from tests.clock import FixedClock
from web.adapters.database.store import SqlStore
from web.domain.access import Actor
from web.services.accounts import accounts, sessions


def who(store: SqlStore, clock: FixedClock, session: str) -> Actor | None:
    with store.read() as tx:
        return tx.of_people.actor(sessions.digest(session), clock.now())


def come_in(store: SqlStore, clock: FixedClock, secret: str) -> Actor:
    actor = who(store, clock, accounts.use_link(store, clock, secret))
    assert actor is not None
    return actor


@pytest.fixture
def admin(store: SqlStore, clock: FixedClock) -> Actor:
    secret = accounts.bootstrap(store, clock, ())
    assert secret is not None
    return come_in(store, clock, secret)


@pytest.fixture
def rater(store: SqlStore, clock: FixedClock, admin: Actor) -> Actor:
    return come_in(store, clock, accounts.invite(store, clock, admin, "rater", "Rita@Example.org "))


def actions(store: SqlStore) -> list[str]:
    with store.read() as tx:
        return [event.action for event in tx.events.all()]


def test_the_first_start_makes_the_named_admins_and_one_link(store: SqlStore, clock: FixedClock) -> None:
    secret = accounts.bootstrap(store, clock, ("a@b.org", "c@d.org"))
    assert secret is not None
    first = come_in(store, clock, secret)
    assert (first.email, first.role) == ("a@b.org", "admin")
    assert [member.user.email for member in accounts.members(store, first)] == ["a@b.org", "c@d.org"]


def test_a_start_prints_a_new_link_until_somebody_came_in(store: SqlStore, clock: FixedClock) -> None:
    lost, second = accounts.bootstrap(store, clock, ()), accounts.bootstrap(store, clock, ())
    assert second is not None
    assert second != lost
    come_in(store, clock, second)
    assert accounts.bootstrap(store, clock, ()) is None
    with store.read() as tx:
        assert len(tx.projects.all()) == 1


def test_only_hashes_of_secrets_are_stored(store: SqlStore, clock: FixedClock) -> None:
    secret = accounts.bootstrap(store, clock, ())
    assert secret is not None
    session = accounts.use_link(store, clock, secret)
    assert min(len(secret), len(session)) >= 43
    with store.read() as tx:
        kept = repr((tx.links.all(), tx.sessions.all(), tx.events.all()))
    assert secret not in kept
    assert session not in kept


def test_a_link_works_once(store: SqlStore, clock: FixedClock, admin: Actor) -> None:
    secret = accounts.invite(store, clock, admin, "rater", "rita@example.org")
    assert accounts.open_link(store, clock, secret).inviter == "admin@localhost"
    come_in(store, clock, secret)
    with pytest.raises(Gone, match="used already"):
        accounts.use_link(store, clock, secret)
    with pytest.raises(Gone, match="used already"):
        accounts.open_link(store, clock, secret)


def test_a_link_used_by_two_at_once_lets_one_in(store: SqlStore, clock: FixedClock, admin: Actor) -> None:
    secret = accounts.invite(store, clock, admin, "rater", "rita@example.org")
    results: list[object] = []

    def use() -> None:
        try:
            results.append(accounts.use_link(store, clock, secret))
        except (Gone, Conflict) as error:
            results.append(error)

    threads = [Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(result, str) for result in results) == 1
    assert len(accounts.members(store, admin)) == 2


def test_a_link_runs_out_after_a_week(store: SqlStore, clock: FixedClock, admin: Actor) -> None:
    secret = accounts.invite(store, clock, admin, "rater", "rita@example.org")
    clock.advance(days=7)
    with pytest.raises(Gone, match="ran out on 08 March 2026"):
        accounts.use_link(store, clock, secret)


def test_an_unknown_link_leads_nowhere(store: SqlStore, clock: FixedClock, admin: Actor) -> None:
    with pytest.raises(NotFound, match="not known"):
        accounts.open_link(store, clock, "guess")


@pytest.mark.parametrize("email", ["", "rita", "rita@", "a@b@c", "a b@c.org", "x" * 250 + "@c.org"])
def test_an_address_that_is_none_is_refused(store: SqlStore, clock: FixedClock, admin: Actor, email: str) -> None:
    with pytest.raises(InvalidRequest, match="not an e-mail address"):
        accounts.invite(store, clock, admin, "rater", email)


def test_a_members_link_keeps_their_role(store: SqlStore, clock: FixedClock, admin: Actor, rater: Actor) -> None:
    again = come_in(store, clock, accounts.invite(store, clock, admin, "admin", "rita@example.org"))
    assert (again.user_id, again.role) == (rater.user_id, "rater")
    back = come_in(store, clock, accounts.renew_link(store, clock, admin, admin.user_id))
    assert (back.user_id, back.role) == (admin.user_id, "admin")


def test_a_session_lasts_thirty_days(store: SqlStore, clock: FixedClock, admin: Actor) -> None:
    session = accounts.use_link(store, clock, accounts.invite(store, clock, admin, "rater", "rita@example.org"))
    clock.advance(days=29, hours=23)
    assert who(store, clock, session) is not None
    clock.advance(hours=1)
    assert who(store, clock, session) is None


def test_signing_out_ends_this_session_only(store: SqlStore, clock: FixedClock, admin: Actor) -> None:
    here = accounts.use_link(store, clock, accounts.renew_link(store, clock, admin, admin.user_id))
    there = accounts.use_link(store, clock, accounts.renew_link(store, clock, admin, admin.user_id))
    actor = who(store, clock, here)
    assert actor is not None
    sessions.sign_out(store, clock, actor)
    assert who(store, clock, here) is None
    assert who(store, clock, there) is not None


def test_deactivation_ends_sessions_and_voids_links(
    store: SqlStore, clock: FixedClock, admin: Actor, rater: Actor
) -> None:
    session = accounts.use_link(store, clock, accounts.renew_link(store, clock, admin, rater.user_id))
    waiting = accounts.renew_link(store, clock, admin, rater.user_id)
    accounts.deactivate(store, clock, admin, rater.user_id)
    assert who(store, clock, session) is None
    with pytest.raises(Gone):
        accounts.use_link(store, clock, waiting)
    with pytest.raises(Conflict, match="reactivate it"):
        accounts.renew_link(store, clock, admin, rater.user_id)
    accounts.reactivate(store, clock, admin, rater.user_id)
    assert who(store, clock, session) is None
    assert come_in(store, clock, accounts.renew_link(store, clock, admin, rater.user_id)).user_id == rater.user_id


def test_a_role_changes_from_the_next_request_on(
    store: SqlStore, clock: FixedClock, admin: Actor, rater: Actor
) -> None:
    session = accounts.use_link(store, clock, accounts.renew_link(store, clock, admin, rater.user_id))
    accounts.set_role(store, clock, admin, rater.user_id, "admin")
    promoted = who(store, clock, session)
    assert promoted is not None
    assert promoted.role == "admin"


@pytest.mark.parametrize(
    "leave",
    [
        lambda store, clock, admin: accounts.deactivate(store, clock, admin, admin.user_id),
        lambda store, clock, admin: accounts.set_role(store, clock, admin, admin.user_id, "rater"),
    ],
)
def test_the_last_admin_cannot_leave(
    store: SqlStore, clock: FixedClock, admin: Actor, rater: Actor, leave: Callable[..., None]
) -> None:
    with pytest.raises(Conflict, match="last admin"):
        leave(store, clock, admin)
    accounts.set_role(store, clock, admin, rater.user_id, "admin")
    leave(store, clock, admin)
    assert [
        each.user.active for each in accounts.members(store, accounts.operator(store)) if each.role == "admin"
    ].count(True) == 1


def test_two_admins_who_remove_each_other_leave_one(store: SqlStore, clock: FixedClock) -> None:
    accounts.bootstrap(store, clock, ("a@b.org", "c@d.org"))
    boss = accounts.operator(store)
    ids = [member.user.id for member in accounts.members(store, boss)]
    failures: list[ServiceError] = []

    def remove(user_id: str) -> None:
        try:
            accounts.deactivate(store, clock, boss, user_id)
        except ServiceError as error:
            failures.append(error)

    threads = [Thread(target=remove, args=(user_id,)) for user_id in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(failures) == 1
    assert [member.user.active for member in accounts.members(store, boss)].count(True) == 1


def test_a_rater_manages_nobody(store: SqlStore, clock: FixedClock, admin: Actor, rater: Actor) -> None:
    for attempt in (
        lambda: accounts.invite(store, clock, rater, "admin", "eve@example.org"),
        lambda: accounts.renew_link(store, clock, rater, admin.user_id),
        lambda: accounts.deactivate(store, clock, rater, admin.user_id),
        lambda: accounts.reactivate(store, clock, rater, admin.user_id),
        lambda: accounts.set_role(store, clock, rater, rater.user_id, "admin"),
        lambda: accounts.members(store, rater),
    ):
        with pytest.raises(Forbidden):
            attempt()


def test_a_stranger_is_not_found(store: SqlStore, clock: FixedClock, admin: Actor) -> None:
    with pytest.raises(NotFound):
        accounts.deactivate(store, clock, admin, "nobody")


def test_what_admins_do_is_recorded_without_addresses(
    store: SqlStore, clock: FixedClock, admin: Actor, rater: Actor
) -> None:
    accounts.set_role(store, clock, admin, rater.user_id, "admin")
    accounts.deactivate(store, clock, admin, rater.user_id)
    wanted = {"link.made": 2, "link.used": 2, "session.begun": 2, "role.changed": 1, "user.deactivated": 1}
    wanted |= {"session.ended": 1, "role.given": 1, "role.taken": 1}
    assert Counter(actions(store)) == wanted
    with store.read() as tx:
        assert "rita" not in repr(tx.events.all())


def test_the_operator_needs_a_project(store: SqlStore) -> None:
    with pytest.raises(NotFound, match="no project yet"):
        accounts.operator(store)


@pytest.mark.parametrize("how", ["deactivated", "made a rater"])
def test_the_links_that_an_admin_made_are_void_with_their_right_to(
    store: SqlStore, clock: FixedClock, admin: Actor, how: str
) -> None:
    boss = come_in(store, clock, accounts.invite(store, clock, admin, "admin", "boss@example.org"))
    theirs = accounts.invite(store, clock, boss, "admin", "backdoor@example.org")
    ours = accounts.invite(store, clock, admin, "rater", "rita@example.org")
    if how == "deactivated":
        accounts.deactivate(store, clock, admin, boss.user_id)
    else:
        accounts.set_role(store, clock, admin, boss.user_id, "rater")
    with pytest.raises(Gone):
        accounts.use_link(store, clock, theirs)
    come_in(store, clock, ours)
    assert actions(store).count("link.voided") == 1
