"""A person of several projects: how they come into each, go from one to another, and leave one."""

import pytest

from ml_service.errors import Conflict, InvalidRequest, NotFound, Unauthorized
from tests.books import PlainBooks
from tests.clock import FixedClock
from web.adapters.database.store import SqlStore
from web.adapters.passwords import Argon2
from web.domain.access import Actor
from web.domain.audit.audit import faults
from web.domain.ids import new_id
from web.domain.studies.study import Project
from web.services.accounts import accounts, keys, members, passwords, projects, sessions
from web.services.accounts.keys import KeyDraft
from web.services.accounts.throttle import Throttle

RITA = "rita@example.org"
GOOD, BETTER = "seven umbrellas walk home", "nine lanterns under water"


class Books(PlainBooks):
    """With passwords, which signing in needs."""

    passwords = Argon2()


@pytest.fixture
def books(store: SqlStore, clock: FixedClock) -> Books:
    return Books(store, clock)


@pytest.fixture
def here(books: Books) -> Actor:
    """The admin of the first project."""
    secret = accounts.bootstrap(books, ("boss@example.org",))
    assert secret is not None
    return who(books, accounts.use_link(books, secret))


@pytest.fixture
def there(books: Books) -> Actor:
    """An admin of a second project."""
    with books.store.begin() as tx:
        project = tx.projects.add(Project(new_id(), "Elsewhere", books.clock.now()))
    terminal = Actor("", "the terminal", project.id, "admin")
    return who(books, accounts.use_link(books, accounts.invite(books, terminal, "admin", "chief@example.org")))


@pytest.fixture
def rita(books: Books, here: Actor, there: Actor) -> Actor:
    """A rater of the first project, with a password, who was then let into the second one as an admin."""
    hashed = books.passwords.hash(GOOD)
    first = who(books, accounts.use_link(books, accounts.invite(books, here, "rater", RITA), hashed=hashed))
    came_in(books, there, "admin")
    return first


def came_in(books: Books, by: Actor, role: str = "rater") -> Actor:
    return who(books, accounts.use_link(books, accounts.invite(books, by, role, RITA)))  # type: ignore[arg-type]


def who(books: Books, secret: str) -> Actor:
    found = actor_of(books, secret)
    assert found is not None
    return found


def actor_of(books: Books, secret: str) -> Actor | None:
    with books.store.read() as tx:
        return tx.of_people.actor(sessions.digest(secret), books.clock.now())


def sign_in(books: Books, word: str = GOOD) -> str:
    return passwords.sign_in(books, Throttle(books, b"key", "network"), RITA, word)  # type: ignore[arg-type]


def whole(books: Books) -> bool:
    """Tell whether the chains of all projects hold, and each session's last event is in the chain of its project."""
    with books.store.read() as tx:
        for project in tx.projects.all():
            events = tx.events.all(project_id=project.id)
            assert list(faults(iter(events), None)) == []
            mine = {one.id for one in tx.sessions.all(project_id=project.id)}
            assert {event.object_id for event in events if event.object_type == "session"} == mine
    return True


def test_a_link_lets_a_member_of_one_project_into_another(books: Books, rita: Actor, here: Actor, there: Actor) -> None:
    again = came_in(books, there)
    assert (again.user_id, again.project_id, again.role) == (rita.user_id, there.project_id, "admin")
    assert (rita.project_id, rita.role) == (here.project_id, "rater")
    assert [one.name for one in projects.own_projects(books, rita)] == ["Palate", "Elsewhere"]
    assert RITA in [member.user.email for member in members.members(books, there)]
    assert whole(books)


def test_the_page_of_a_link_welcomes_back_only_who_is_in_its_project(books: Books, here: Actor, there: Actor) -> None:
    came_in(books, here)
    first = accounts.open_link(books, accounts.invite(books, there, "rater", RITA))
    assert (first.project, first.member, first.may_choose) == ("Elsewhere", False, False)
    came_in(books, there)
    assert accounts.open_link(books, accounts.invite(books, there, "rater", RITA)).member


def test_who_makes_a_link_gets_no_password_for_the_other_project(books: Books, rita: Actor, there: Actor) -> None:
    secret = accounts.invite(books, there, "rater", RITA)
    with pytest.raises(InvalidRequest, match="another project"):
        accounts.use_link(books, secret, hashed=books.passwords.hash(BETTER))
    came = who(books, accounts.use_link(books, secret))
    assert passwords.password_state(books, came).needs_current  # type: ignore[arg-type]
    with pytest.raises(Conflict, match="came by a link"):
        projects.switch(books, came, rita.project_id)
    assert who(books, sign_in(books)).user_id == rita.user_id


def test_who_makes_a_link_gets_no_first_password_either(books: Books, here: Actor, there: Actor) -> None:
    first = came_in(books, here)
    for admin in (there, here):
        came = came_in(books, admin)
        guard = Throttle(books, b"key", "network")
        with pytest.raises(InvalidRequest, match="another project"):
            passwords.choose_password(books, guard, came, BETTER)  # type: ignore[arg-type]
    by_terminal = accounts.invite(books, accounts.operator(books), "rater", RITA)
    accounts.use_link(books, by_terminal, hashed=books.passwords.hash(GOOD))
    assert who(books, sign_in(books)).user_id == first.user_id


def test_the_terminal_makes_a_link_that_replaces_a_password(books: Books, rita: Actor) -> None:
    secret = accounts.invite(books, accounts.operator(books), "rater", RITA)
    accounts.use_link(books, secret, hashed=books.passwords.hash(BETTER))
    with pytest.raises(Unauthorized):
        sign_in(books)
    assert who(books, sign_in(books, BETTER)).user_id == rita.user_id
    assert whole(books)


def test_a_password_signs_in_to_the_project_used_last(books: Books, rita: Actor, here: Actor, there: Actor) -> None:
    in_second = sign_in(books)
    assert who(books, in_second).project_id == there.project_id
    secret = projects.switch(books, who(books, in_second), here.project_id)
    in_first = who(books, secret)
    assert (in_first.project_id, in_first.role, in_first.user_id) == (here.project_id, "rater", rita.user_id)
    assert actor_of(books, in_second) is None
    sessions.sign_out(books, in_first)
    assert who(books, sign_in(books)).project_id == here.project_id
    assert whole(books)


def test_going_to_another_project_makes_no_session_longer(books: Books, clock: FixedClock, rita: Actor) -> None:
    second = who(books, sign_in(books))
    clock.advance(days=29)
    secret = projects.switch(books, second, rita.project_id)
    clock.advance(days=2)
    assert actor_of(books, secret) is None


def test_nobody_goes_where_they_are_not_a_member(books: Books, rita: Actor) -> None:
    with books.store.begin() as tx:
        third = tx.projects.add(Project(new_id(), "Third", books.clock.now()))
    signed_in = who(books, sign_in(books))
    for place in (third.id, "nowhere"):
        with pytest.raises(NotFound, match="no such project"):
            projects.switch(books, signed_in, place)
    sessions.sign_out(books, signed_in)
    with pytest.raises(Unauthorized):
        projects.switch(books, signed_in, rita.project_id)


def test_ending_one_membership_leaves_the_other(books: Books, rita: Actor, here: Actor, there: Actor) -> None:
    in_second, waiting = sign_in(books), accounts.invite(books, here, "rater", RITA)
    keys.make_key(books, who(books, in_second), KeyDraft("enhancer", ("prompts:read",)))
    members.deactivate(books, there, rita.user_id)
    assert actor_of(books, in_second) is None
    assert RITA not in [member.user.email for member in members.members(books, there)]
    assert [line.owner_left for line in keys.list_keys(books, there)] == [True]
    with books.store.read() as tx:
        assert [one.id for one in tx.sessions.all(user_id=rita.user_id, revoked_at=None)] == [rita.session_id]
        assert tx.users.get(rita.user_id).active
    assert who(books, sign_in(books)).project_id == here.project_id
    assert who(books, accounts.use_link(books, waiting)).project_id == here.project_id
    assert came_in(books, there).role == "rater"
    assert whole(books)


def test_an_admin_ends_sessions_of_their_own_project_only(books: Books, rita: Actor, there: Actor) -> None:
    in_second = sign_in(books)
    members.sign_out_everywhere(books, there, rita.user_id)
    assert actor_of(books, in_second) is None
    with books.store.read() as tx:
        assert tx.sessions.get(rita.session_id).revoked_at is None


def test_a_person_ends_their_sessions_of_all_projects(books: Books, rita: Actor) -> None:
    signed_in = who(books, sign_in(books))
    assert sessions.end_other_sessions(books, signed_in) == 2
    assert whole(books)
