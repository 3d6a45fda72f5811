from collections import Counter
from collections.abc import Callable
from threading import Thread

import pytest

from ml_service.errors import Conflict, Forbidden, Gone, InvalidRequest, NotFound, ServiceError
from tests.books import PlainBooks
from tests.clock import FixedClock
from web.adapters.database.store import SqlStore
from web.domain.access import Actor
from web.services.accounts import accounts, members, sessions


def who(books: PlainBooks, session: str) -> Actor | None:
    with books.store.read() as tx:
        return tx.of_people.actor(sessions.digest(session), books.clock.now())


def come_in(books: PlainBooks, secret: str) -> Actor:
    actor = who(books, accounts.use_link(books, secret))
    assert actor is not None
    return actor


@pytest.fixture
def admin(books: PlainBooks) -> Actor:
    secret = accounts.bootstrap(books, ())
    assert secret is not None
    return come_in(books, secret)


@pytest.fixture
def rater(admin: Actor, books: PlainBooks) -> Actor:
    return come_in(books, accounts.invite(books, admin, "rater", "Rita@Example.org "))


def actions(store: SqlStore) -> list[str]:
    with store.read() as tx:
        return [event.action for event in tx.events.all()]


def test_the_first_start_makes_the_named_admins_and_one_link(books: PlainBooks) -> None:
    secret = accounts.bootstrap(books, ("a@b.org", "c@d.org"))
    assert secret is not None
    first = come_in(books, secret)
    assert (first.email, first.role) == ("a@b.org", "admin")
    assert [member.user.email for member in members.members(books, first)] == ["a@b.org", "c@d.org"]


def test_a_start_prints_a_new_link_until_somebody_came_in(store: SqlStore, books: PlainBooks) -> None:
    lost, second = accounts.bootstrap(books, ()), accounts.bootstrap(books, ())
    assert second is not None
    assert second != lost
    come_in(books, second)
    assert accounts.bootstrap(books, ()) is None
    with store.read() as tx:
        assert len(tx.projects.all()) == 1


def test_only_hashes_of_secrets_are_stored(store: SqlStore, books: PlainBooks) -> None:
    secret = accounts.bootstrap(books, ())
    assert secret is not None
    session = accounts.use_link(books, secret)
    assert min(len(secret), len(session)) >= 43
    with store.read() as tx:
        kept = repr((tx.links.all(), tx.sessions.all(), tx.events.all()))
    assert secret not in kept
    assert session not in kept


def test_a_link_works_once(admin: Actor, books: PlainBooks) -> None:
    secret = accounts.invite(books, admin, "rater", "rita@example.org")
    assert accounts.open_link(books, secret).inviter == "admin@localhost"
    come_in(books, secret)
    with pytest.raises(Gone, match="used already"):
        accounts.use_link(books, secret)
    with pytest.raises(Gone, match="used already"):
        accounts.open_link(books, secret)


def test_a_link_used_by_two_at_once_lets_one_in(admin: Actor, books: PlainBooks) -> None:
    secret = accounts.invite(books, admin, "rater", "rita@example.org")
    results: list[object] = []

    def use() -> None:
        try:
            results.append(accounts.use_link(books, secret))
        except (Gone, Conflict) as error:
            results.append(error)

    threads = [Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(result, str) for result in results) == 1
    assert len(members.members(books, admin)) == 2


def test_a_link_runs_out_after_a_week(clock: FixedClock, admin: Actor, books: PlainBooks) -> None:
    secret = accounts.invite(books, admin, "rater", "rita@example.org")
    clock.advance(days=7)
    with pytest.raises(Gone, match="ran out on 08 March 2026"):
        accounts.use_link(books, secret)


def test_an_unknown_link_leads_nowhere(admin: Actor, books: PlainBooks) -> None:
    with pytest.raises(NotFound, match="not known"):
        accounts.open_link(books, "guess")


@pytest.mark.parametrize("email", ["", "rita", "rita@", "a@b@c", "a b@c.org", "x" * 250 + "@c.org"])
def test_an_address_that_is_none_is_refused(admin: Actor, email: str, books: PlainBooks) -> None:
    with pytest.raises(InvalidRequest, match="not an e-mail address"):
        accounts.invite(books, admin, "rater", email)


def test_a_members_link_keeps_their_role(admin: Actor, rater: Actor, books: PlainBooks) -> None:
    again = come_in(books, accounts.invite(books, admin, "admin", "rita@example.org"))
    assert (again.user_id, again.role) == (rater.user_id, "rater")
    back = come_in(books, accounts.renew_link(books, admin, admin.user_id))
    assert (back.user_id, back.role) == (admin.user_id, "admin")


def test_a_session_lasts_thirty_days(clock: FixedClock, admin: Actor, books: PlainBooks) -> None:
    session = accounts.use_link(books, accounts.invite(books, admin, "rater", "rita@example.org"))
    clock.advance(days=29, hours=23)
    assert who(books, session) is not None
    clock.advance(hours=1)
    assert who(books, session) is None


def test_signing_out_ends_this_session_only(admin: Actor, books: PlainBooks) -> None:
    here = accounts.use_link(books, accounts.renew_link(books, admin, admin.user_id))
    there = accounts.use_link(books, accounts.renew_link(books, admin, admin.user_id))
    actor = who(books, here)
    assert actor is not None
    sessions.sign_out(books, actor)
    assert who(books, here) is None
    assert who(books, there) is not None


def test_deactivation_ends_sessions_and_voids_links(admin: Actor, rater: Actor, books: PlainBooks) -> None:
    session = accounts.use_link(books, accounts.renew_link(books, admin, rater.user_id))
    waiting = accounts.renew_link(books, admin, rater.user_id)
    members.deactivate(books, admin, rater.user_id)
    assert who(books, session) is None
    with pytest.raises(Gone):
        accounts.use_link(books, waiting)
    with pytest.raises(Conflict, match="reactivate it"):
        accounts.renew_link(books, admin, rater.user_id)
    members.reactivate(books, admin, rater.user_id)
    assert who(books, session) is None
    assert come_in(books, accounts.renew_link(books, admin, rater.user_id)).user_id == rater.user_id


def test_a_role_changes_from_the_next_request_on(admin: Actor, rater: Actor, books: PlainBooks) -> None:
    session = accounts.use_link(books, accounts.renew_link(books, admin, rater.user_id))
    members.set_role(books, admin, rater.user_id, "admin")
    promoted = who(books, session)
    assert promoted is not None
    assert promoted.role == "admin"


@pytest.mark.parametrize(
    "leave",
    [
        lambda books, admin: members.deactivate(books, admin, admin.user_id),
        lambda books, admin: members.set_role(books, admin, admin.user_id, "rater"),
    ],
)
def test_the_last_admin_cannot_leave(admin: Actor, rater: Actor, leave: Callable[..., None], books: PlainBooks) -> None:
    with pytest.raises(Conflict, match="last admin"):
        leave(books, admin)
    members.set_role(books, admin, rater.user_id, "admin")
    leave(books, admin)
    assert [
        each.user.active for each in members.members(books, accounts.operator(books)) if each.role == "admin"
    ].count(True) == 1


def test_two_admins_who_remove_each_other_leave_one(books: PlainBooks) -> None:
    accounts.bootstrap(books, ("a@b.org", "c@d.org"))
    boss = accounts.operator(books)
    ids = [member.user.id for member in members.members(books, boss)]
    failures: list[ServiceError] = []

    def remove(user_id: str) -> None:
        try:
            members.deactivate(books, boss, user_id)
        except ServiceError as error:
            failures.append(error)

    threads = [Thread(target=remove, args=(user_id,)) for user_id in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(failures) == 1
    assert [member.user.active for member in members.members(books, boss)].count(True) == 1


def test_a_rater_manages_nobody(admin: Actor, rater: Actor, books: PlainBooks) -> None:
    for attempt in (
        lambda: accounts.invite(books, rater, "admin", "eve@example.org"),
        lambda: accounts.renew_link(books, rater, admin.user_id),
        lambda: members.deactivate(books, rater, admin.user_id),
        lambda: members.reactivate(books, rater, admin.user_id),
        lambda: members.set_role(books, rater, rater.user_id, "admin"),
        lambda: members.members(books, rater),
    ):
        with pytest.raises(Forbidden):
            attempt()


def test_a_stranger_is_not_found(admin: Actor, books: PlainBooks) -> None:
    with pytest.raises(NotFound):
        members.deactivate(books, admin, "nobody")


def test_what_admins_do_is_recorded_without_addresses(
    store: SqlStore, admin: Actor, rater: Actor, books: PlainBooks
) -> None:
    members.set_role(books, admin, rater.user_id, "admin")
    members.deactivate(books, admin, rater.user_id)
    wanted = {"link.made": 2, "link.used": 2, "session.begun": 2, "role.changed": 1, "user.deactivated": 1}
    wanted |= {"session.ended": 1, "role.given": 1, "role.taken": 1}
    assert Counter(actions(store)) == wanted
    with store.read() as tx:
        assert "rita" not in repr(tx.events.all())


def test_the_operator_needs_a_project(books: PlainBooks) -> None:
    with pytest.raises(NotFound, match="no project yet"):
        accounts.operator(books)


@pytest.mark.parametrize("how", ["deactivated", "made a rater"])
def test_the_links_that_an_admin_made_are_void_with_their_right_to(
    store: SqlStore, admin: Actor, how: str, books: PlainBooks
) -> None:
    boss = come_in(books, accounts.invite(books, admin, "admin", "boss@example.org"))
    theirs = accounts.invite(books, boss, "admin", "backdoor@example.org")
    ours = accounts.invite(books, admin, "rater", "rita@example.org")
    if how == "deactivated":
        members.deactivate(books, admin, boss.user_id)
    else:
        members.set_role(books, admin, boss.user_id, "rater")
    with pytest.raises(Gone):
        accounts.use_link(books, theirs)
    come_in(books, ours)
    assert actions(store).count("link.voided") == 1
