"""Every operation of the OpenAPI document, with what it allows and with what it does not, as everybody.

No answer is a 500, and none is outside what the document says of it.
"""

import contextlib
import json
import os
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core import NOT_SET
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.result import Ok
from schemathesis.generation.case import Case
from schemathesis.generation.modes import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.types import Receive, Scope, Send

from tests.grounds import Grounds, routes
from web.api.rating import train

FULL = bool(os.environ.get("PALATE_FULL"))
ROLES = ("nobody", "rater", "admin", "prompts:read key", "feedback:write key", "exports:read key")
# How many requests each operation gets of those who may use it; who may not is refused whatever they send.
MOST = 300 if FULL else 6
REFUSED = 20 if FULL else 1
PATIENCE = 60  # seconds, on a machine that has other things to do
ENDLESS = {"/api/train/events"}  # server-sent events do not end
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
HOSTILE: list[Any] = [
    "\x00",
    "a\x00b",
    "\ud800",
    "\u202e\ufeff",
    "x" * 5000,
    "../../etc/passwd",
    "' OR 1=1 --",
    "{{7*7}}",
    "0001-01-01",
    "9999-12-31T23:59:59.999999-14:00",
    "00000000-0000-0000-0000-000000000000",
    "-1",
    "9" * 400,
    "nan",
    "",
    -1,
    2**31,
    2**63,
    10**400,
    -(2**63) - 1,
    1e308,
    None,
    True,
    [],
    {},
    [[[[]]]],
]
# A value of a request to put something hostile in place of, by its number, and what.
Spoiling = tuple[int, int] | None
spoilings: st.SearchStrategy[Spoiling] = st.none() | st.tuples(st.integers(0, 40), st.integers(0, len(HOSTILE) - 1))


@dataclass(frozen=True)
class Attempt:
    """What is sent: a case, whether ids of real rows take the place of made-up ones, and what of it is spoilt."""

    case: Case[Any]
    real: bool
    spoiling: Spoiling

    def fresh(self, ids: dict[str, Any]) -> Case[Any]:
        """Return the case ready to be sent; each sender changes a copy of its own."""
        case = self.case
        made: Case[Any] = case.operation.Case(
            path_parameters=deepcopy(case.path_parameters),
            headers=dict(case.headers),
            query=deepcopy(case.query),
            body=case.body if case.body is NOT_SET else deepcopy(case.body),
            media_type=case.media_type,
        )
        if self.real:
            name_real_rows(made, ids)
        if self.spoiling is not None:
            spoil(made, *self.spoiling)
        return made


@cache
def attempts_of(document: str) -> dict[str, list[Attempt]]:
    """Return what hypothesis makes of each operation, made once: making it takes longer than sending it."""
    found = {}
    for result in schemathesis.openapi.from_dict(json.loads(document)).get_all_operations():
        assert isinstance(result, Ok), result
        operation = result.ok()
        if operation.path not in ENDLESS:
            found[f"{operation.method.upper()} {operation.path}"] = attempts_at(operation)
    return found


def attempts_at(operation: Any) -> list[Attempt]:
    """Return what is tried of an operation."""
    made, found = operation.as_strategy(GenerationMode.POSITIVE), list[Attempt]()
    with contextlib.suppress(TypeError):  # where every request is allowed
        made = made | operation.as_strategy(GenerationMode.NEGATIVE)

    @settings(
        max_examples=MOST,
        deadline=None,
        database=None,
        derandomize=not FULL,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.builds(Attempt, made, st.booleans(), spoilings))
    def keep(attempt: Attempt) -> None:
        found.append(attempt)

    keep()
    return found


class Fuzzer:
    """Sends attempts as one person, and keeps what was wrong with the answers."""

    def __init__(self, grounds: Grounds, person: str) -> None:
        self.grounds, self.name = grounds, person
        self.person = grounds.person(person)
        self.ids = {**grounds.ids, "study": grounds.ids["study_id"]}
        self.wrong: dict[str, str] = {}

    def run(self, most: int) -> dict[str, str]:
        """Try every operation and return the first fault of each."""
        app = self.grounds.site.app
        demands = {route.name: route.demand for route in routes(app)}
        for route, tried in attempts_of(json.dumps(app.openapi(), sort_keys=True)).items():
            for attempt in tried[: most if self.person.may(demands[route]) else REFUSED]:
                self._send(route, attempt.fresh(self.ids))
        return self.wrong

    def _send(self, route: str, case: Case[Any]) -> None:
        self.grounds.world.clock.advance(seconds=7)
        response = case.call("http://palate.test", headers=dict(self.person.headers), app=self._app, timeout=PATIENCE)
        if response.status_code == 401 and self.name != "nobody":  # it signed itself out, or its way in was closed
            self.person = self.grounds.person(self.name)
        try:
            case.validate_response(response, checks=CHECKS)
        except (Failure, FailureGroup) as failure:
            self.wrong.setdefault(route, str(failure))

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        with contextlib.suppress(Exception):  # it was answered with a 500 before it comes out here
            await self.grounds.site.app(scope, receive, send)


def name_real_rows(case: Case[Any], ids: dict[str, Any]) -> None:
    """Put ids of real rows where there is a place for them: made-up ones never get far."""
    for place in (case.path_parameters, case.query, case.body):
        if isinstance(place, dict):
            place.update({name: ids[name] for name in place if name in ids})


def spoil(case: Case[Any], number: int, which: int) -> None:
    """Put something hostile in place of one value of a request, wherever it lies."""
    value = HOSTILE[which]
    places = list(_places(case.body))
    if not _is_json(case):  # in an address or a form it is text, and what is no text cannot be sent at all
        value = "" if value is None else str(value).encode(errors="ignore").decode()
    for part in (case.path_parameters, case.query):
        if isinstance(part, dict):
            places += [(part, key) for key in part]
    if places:
        holder, key = places[number % len(places)]
        in_address = holder in (case.path_parameters, case.query)
        holder[key] = str(value).encode(errors="ignore").decode() or "-" if in_address else value


def _is_json(case: Case[Any]) -> bool:
    return case.media_type is not None and "json" in case.media_type


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in list(inner):
        yield value, key
        yield from _places(item)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Uploads are not waited for: no worker makes anything here."""
    monkeypatch.setattr(train, "PATIENCE_SECONDS", 0.0)


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("name", ROLES)
def test_no_request_leads_to_an_answer_outside_the_document(grounds: Grounds, name: str) -> None:
    wrong = Fuzzer(grounds, name).run(MOST)
    assert not wrong, "\n\n".join(f"{route}\n{fault}" for route, fault in wrong.items())
