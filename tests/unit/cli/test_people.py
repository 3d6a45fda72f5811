"""`user` and `key` as somebody at the terminal of the server runs them."""

import json

import pytest

from tests.unit.cli.conftest import Run
from web.ports.parts import Parts
from web.services.accounts import accounts, keys, passwords
from web.services.accounts.sessions import digest
from web.services.accounts.throttle import Throttle

GOOD = "kupferFagott12Regale"
pytestmark = pytest.mark.usefixtures("here")


def throttle(here: Parts) -> Throttle:
    return Throttle(here, b"k" * 32, "192.0.2.1")


def secret_of(said: str) -> str:
    return said.strip().rpartition("/link/")[2]


def test_a_link_of_the_terminal_lets_somebody_in_once(run: Run, here: Parts) -> None:
    code, said, _ = run("user", "link", "Rita@Example.org", "--role", "admin")
    assert (code, "within seven days" in said) == (0, True)
    accounts.come_in(here, throttle(here), secret_of(said), GOOD)
    assert "rita@example.org" in run("user", "list")[1]
    listed = [json.loads(line) for line in run("user", "list", "--json")[1].splitlines()]
    assert {"email": "rita@example.org", "role": "admin", "active": True} in listed
    again = json.loads(run("user", "link", "rita@example.org", "--json")[1])
    accounts.come_in(here, throttle(here), secret_of(again["link"]))


def test_somebody_is_signed_out_shut_out_and_let_in_again(run: Run, here: Parts) -> None:
    link = secret_of(run("user", "link", "rita@example.org")[1])
    session = accounts.come_in(here, throttle(here), link, GOOD)

    def is_in(secret: str) -> bool:
        with here.store.read() as tx:
            return tx.of_people.actor(digest(secret), here.clock.now()) is not None

    def sign_in() -> str:
        return passwords.sign_in(here, throttle(here), "rita@example.org", GOOD)

    assert is_in(session)
    assert run("user", "sign-out", "Rita@example.org")[0] == 0
    assert not is_in(session)
    session = sign_in()
    assert "can no longer sign in" in run("user", "off", "rita@example.org")[1]
    assert not is_in(session)
    assert run("user", "link", "rita@example.org")[0] == 1
    assert "can sign in again" in run("user", "on", "rita@example.org")[1]
    assert not is_in(session)
    assert is_in(sign_in())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("user", "off"), "Say whose"),
        (("user", "off", "nobody@example.org"), "Nobody here has the address"),
        (("user", "off", "admin@localhost"), "This is the last admin"),
        (("user", "link", "no address"), "is not an e-mail address"),
        (("key", "make"), "Say which"),
        (("key", "make", "x", "--environment", "A B"), "short name"),
        (("key", "make", "x", "--days", "99999"), "within 3650 days"),
        (("key", "revoke", "nothing"), "There is no such key"),
    ],
)
def test_what_cannot_be_done_is_said(run: Run, words: tuple[str, ...], told: str) -> None:
    code, said, complained = run(*words)
    assert (code, said) == (1, "")
    assert told in complained


def test_a_key_is_made_shown_once_listed_and_revoked(run: Run, here: Parts) -> None:
    code, said, _ = run("key", "make", "enhancer", "--scope", "feedback:write", "--days", "30")
    secret = said.split()[-1]
    assert (code, secret.startswith("palate_")) == (0, True)
    machine = keys.machine(here, b"k" * 32, secret)
    assert machine is not None
    assert machine.scopes == ("feedback:write",)
    listed = run("key", "list", "--json")[1]
    assert secret not in listed
    row = json.loads(listed)
    assert (row["name"], row["scopes"], row["owner"], row["revoked"]) == (
        "enhancer",
        "feedback:write",
        "the terminal",
        "",
    )
    assert run("key", "revoke", row["id"])[0] == 0
    assert keys.machine(here, b"k" * 32, secret) is None
    assert json.loads(run("key", "list", "--json")[1])["revoked"]


def test_a_key_in_json_is_for_scripts(run: Run, here: Parts) -> None:
    made = json.loads(run("key", "make", "enhancer", "--json")[1])
    assert made["scopes"] == ["prompts:read"]
    assert keys.machine(here, b"k" * 32, made["key"]) is not None
