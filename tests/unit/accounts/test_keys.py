import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import jwt
import pytest

from ml_service.errors import Forbidden, InvalidRequest, NotFound, StorageFull, Throttled, Unauthorized
from tests.clock import FixedClock
from tests.world import World, make_world
from web.adapters.database.store import SqlStore
from web.domain.access import Actor, Scope
from web.domain.accounts import ApiKey
from web.domain.audit.audit import faults, row_hash
from web.services.accounts import accounts, keys, members, tokens
from web.services.accounts.keys import KeyDraft
from web.services.accounts.throttle import CLIENTS, Throttle
from web.services.accounts.tokens import Claim

KEY = b"k" * 32
READ: tuple[Scope, ...] = ("prompts:read",)
BOTH: tuple[Scope, ...] = ("prompts:read", "feedback:write")


@pytest.fixture
def world(store: SqlStore, clock: FixedClock, tmp_path: Path) -> World:
    return make_world(store, clock, tmp_path, inputs=0)


def make(world: World, *, scopes: tuple[Scope, ...] = READ, **draft: Any) -> tuple[ApiKey, str]:
    wanted = KeyDraft(**{"name": "enhancer", "scopes": scopes, **draft})
    return keys.make_key(world.parts, world.admin, wanted)


def machine(world: World, proof: str) -> Actor | None:
    return keys.machine(world.parts, KEY, proof)


def exchange(world: World, key_id: str, secret: str, *scopes: str, network: str = "192.0.2.1") -> str:
    throttle = Throttle(world.parts, KEY, network)
    return keys.exchange(world.parts, throttle, key_id, secret, scopes)[0]


def test_a_key_lets_its_machine_in_for_its_scopes_and_only_its_hash_is_kept(world: World) -> None:
    key, secret = make(world)
    assert re.fullmatch(r"palate_[A-Za-z0-9_-]{43}", secret)
    found = machine(world, secret)
    assert found == Actor(key.id, "enhancer", world.admin.project_id, "service", scopes=READ)
    assert machine(world, secret[:-1]) is None
    assert machine(world, secret + "x" * 3000) is None
    with world.parts.store.read() as tx:
        kept = repr((tx.keys.all(), tx.events.all()))
    assert secret not in kept
    assert secret.removeprefix("palate_") not in kept


@pytest.mark.parametrize(
    ("draft", "why"),
    [
        ({"name": " "}, "needs a name"),
        ({"name": "x" * 121}, "at most 120"),
        ({"name": "a\x00b"}, "needs a name"),
        ({"scopes": ()}, "one scope or more"),
        ({"scopes": ("prompts:read", "everything")}, "one scope or more"),
        ({"environment": ""}, "short name"),
        ({"environment": "Pro duction"}, "short name"),
        ({"expires_at": datetime(2026, 3, 1, 9, tzinfo=UTC)}, "time to come"),
        ({"expires_at": datetime.max.replace(tzinfo=timezone(timedelta(hours=-12)))}, "within 3650 days"),
    ],
)
def test_a_key_that_makes_no_sense_is_refused(world: World, draft: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidRequest, match=why):
        make(world, **draft)


def test_a_revoked_key_and_its_tokens_are_worth_nothing_from_the_next_request_on(world: World) -> None:
    key, secret = make(world)
    token = exchange(world, key.id, secret)
    assert machine(world, token) is not None
    for _ in range(2):
        revoked = keys.revoke_key(world.parts, world.admin, key.id)
        assert revoked.revoked_at == world.clock.now()
    assert machine(world, secret) is None
    assert machine(world, token) is None
    with pytest.raises(Unauthorized):
        exchange(world, key.id, secret)


def test_a_key_runs_out_and_its_tokens_with_it(world: World) -> None:
    key, secret = make(world, expires_at=keys.in_days(world.parts, 30))
    world.clock.advance(days=30, minutes=-5)
    token = exchange(world, key.id, secret)
    assert machine(world, secret) is not None
    world.clock.advance(minutes=5)
    assert machine(world, secret) is None
    assert machine(world, token) is None
    assert keys.in_days(world.parts, 0) is None


def test_use_of_a_key_is_written_down_at_most_once_an_hour(world: World) -> None:
    key, secret = make(world)

    def used_at() -> datetime | None:
        with world.parts.store.read() as tx:
            return tx.keys.get(key.id).used_at

    assert used_at() is None
    first = world.clock.now()
    machine(world, secret)
    world.clock.advance(minutes=59)
    machine(world, secret)
    assert used_at() == first
    world.clock.advance(minutes=1)
    machine(world, exchange(world, key.id, secret))
    assert used_at() == world.clock.now()


def test_a_machine_gets_in_also_while_nothing_can_be_written(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    _, secret = make(world)

    def full(self: SqlStore) -> None:
        raise StorageFull("The disk is full.")

    monkeypatch.setattr(SqlStore, "begin", full)
    assert machine(world, secret) is not None


def test_a_key_outlives_its_owner_and_says_that_they_left(world: World) -> None:
    boss = world.person("admin")
    key, secret = keys.make_key(world.parts, boss, KeyDraft("enhancer", READ))
    by_terminal, _ = keys.make_key(world.parts, accounts.operator(world.parts), KeyDraft("script", READ))
    members.deactivate(world.parts, world.admin, boss.user_id)
    assert machine(world, secret) is not None
    lines = keys.list_keys(world.parts, world.admin)
    assert [(line.key.id, line.owner, line.owner_left) for line in lines] == [
        (by_terminal.id, "the terminal", False),
        (key.id, boss.email, True),
    ]


def test_only_admins_manage_keys_and_only_those_of_their_project(world: World) -> None:
    rater = world.person()
    key, secret = make(world)
    as_machine = machine(world, secret)
    assert as_machine is not None
    for actor in (rater, as_machine):
        for attempt in (
            lambda actor=actor: keys.make_key(world.parts, actor, KeyDraft("x", READ)),
            lambda actor=actor: keys.list_keys(world.parts, actor),
            lambda actor=actor: keys.revoke_key(world.parts, actor, key.id),
        ):
            with pytest.raises(Forbidden):
                attempt()
    with pytest.raises(NotFound):
        keys.revoke_key(world.parts, Actor("x", "x", "other", "admin"), key.id)


def test_a_token_is_good_for_a_quarter_of_an_hour(world: World) -> None:
    key, secret = make(world, scopes=BOTH)
    token = exchange(world, key.id, secret)
    world.clock.advance(minutes=15, seconds=-1)
    assert machine(world, token) == machine(world, secret)
    world.clock.advance(seconds=1)
    assert machine(world, token) is None


def test_a_token_may_be_for_less_than_its_key_and_never_for_more(world: World) -> None:
    key, secret = make(world, scopes=BOTH)
    found = machine(world, exchange(world, key.id, secret, "feedback:write"))
    assert found is not None
    assert found.scopes == ("feedback:write",)
    less, secret = make(world)
    with pytest.raises(InvalidRequest, match="for prompts:read only"):
        exchange(world, less.id, secret, "feedback:write")
    made_up = tokens.issue(KEY, Claim(less.id, BOTH), world.clock.now())
    found = machine(world, made_up)
    assert found is not None
    assert found.scopes == READ


def test_a_key_gives_no_token_under_another_ones_id(world: World) -> None:
    (one, _), (_, secret) = make(world), make(world)
    with pytest.raises(Unauthorized):
        exchange(world, one.id, secret)


def test_guessing_at_a_key_is_throttled_for_that_network_only(world: World) -> None:
    key, secret = make(world)
    for _ in range(5):
        with pytest.raises(Unauthorized):
            exchange(world, key.id, "palate_guess")
    with pytest.raises(Throttled):
        exchange(world, key.id, secret)
    assert machine(world, exchange(world, key.id, secret, network="198.51.100.7")) is not None
    assert machine(world, secret) is not None


def test_guessing_at_many_keys_is_throttled_for_that_network_only(world: World) -> None:
    key, secret = make(world)
    for number in range(CLIENTS.most):
        with pytest.raises(Unauthorized):
            exchange(world, f"guess {number}", "palate_guess")
    with pytest.raises(Throttled, match="from your network"):
        exchange(world, key.id, secret)
    assert exchange(world, key.id, secret, network="198.51.100.7")


def parts_of(token: str) -> tuple[dict[str, Any], dict[str, Any], str]:
    head, body, signature = token.split(".")
    return decoded(head), decoded(body), signature


def decoded(part: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def encoded(part: dict[str, Any]) -> str:
    return urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def resigned(token: str, **change: Any) -> str:
    body = {**parts_of(token)[1], **change}
    return jwt.encode({name: body[name] for name in body if body[name] is not None}, tokens._signing(KEY), "HS256")


FORGERIES: dict[str, Callable[[str], str]] = {
    "no algorithm": lambda token: f"{encoded({'alg': 'none', 'typ': 'JWT'})}.{token.split('.')[1]}.",
    "no signature": lambda token: f"{token.rpartition('.')[0]}.",
    "another algorithm": lambda token: jwt.encode(parts_of(token)[1], tokens._signing(KEY) * 2, "HS512"),
    "the server's key itself": lambda token: jwt.encode(parts_of(token)[1], KEY, "HS256"),
    "another key": lambda token: jwt.encode(parts_of(token)[1], b"x" * 32, "HS256"),
    "changed": lambda token: ".".join(
        [token.split(".")[0], encoded({**parts_of(token)[1], "sub": "other"}), token.split(".")[2]]
    ),
    "another audience": lambda token: resigned(token, aud="other"),
    "several audiences": lambda token: resigned(token, aud=["other"]),
    "another issuer": lambda token: resigned(token, iss="other"),
    "no end": lambda token: resigned(token, exp=None),
    "no subject": lambda token: resigned(token, sub=None),
    "of tomorrow": lambda token: resigned(token, iat=parts_of(token)[1]["iat"] + 86400),
    "of nobody": lambda token: resigned(token, sub="nobody"),
    "garbage": lambda token: "a.b.c",
    "nothing": lambda token: "",
}


@pytest.mark.parametrize("how", FORGERIES)
def test_a_forged_token_is_worth_nothing(world: World, how: str) -> None:
    key, secret = make(world)
    token = exchange(world, key.id, secret)
    assert machine(world, resigned(token)) is not None
    assert machine(world, FORGERIES[how](token)) is None


def test_a_token_says_what_the_standard_asks_for_and_nothing_of_the_key(world: World) -> None:
    key, secret = make(world)
    token = exchange(world, key.id, secret)
    head, body, _ = parts_of(token)
    now = int(world.clock.now().timestamp())
    assert head == {"alg": "HS256", "typ": "JWT"}
    assert body.pop("jti") != parts_of(exchange(world, key.id, secret))[1]["jti"]
    wanted = {"iss": "palate", "aud": "palate", "sub": key.id, "iat": now, "exp": now + 900, "scope": "prompts:read"}
    assert body == wanted


def test_what_becomes_of_keys_is_in_the_audit_chain(world: World) -> None:
    key, secret = make(world, scopes=BOTH)
    machine(world, secret)
    revoked = keys.revoke_key(world.parts, world.admin, key.id)
    with world.parts.store.read() as tx:
        events = sorted(tx.events.all(project_id=world.admin.project_id), key=lambda event: event.number)
        row = tx.keys.get(key.id)
    made, ended = [event for event in events if event.object_id == key.id]
    assert (made.action, made.details, ended.action) == (
        "key.made",
        {"scopes": "prompts:read feedback:write"},
        "key.revoked",
    )
    assert ended.before_hash == made.after_hash
    assert ended.after_hash == row_hash(revoked) == row_hash(row)
    assert list(faults(events)) == []
