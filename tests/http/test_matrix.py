"""Every route, as everybody: who may, who may not, and that nobody reaches another project's rows."""

import json
from typing import Any

import pytest
from sqlalchemy import select

from tests.grounds import MARK, Grounds, Person, Route, routes
from tests.site import Site
from web.adapters.database.tables.base import metadata
from web.domain.ids import new_id
from web.domain.studies.guide import ANCHORS

# Whoever asks; each of these guards itself by a secret, or has nothing to hide.
PUBLIC = {
    "GET /",
    "GET /sign-in",
    "POST /sign-in",
    "POST /sign-out",
    "GET /link/{secret}",
    "POST /link/{secret}",
    "GET /favicon.ico",
    "GET /sw.js",
    "GET /health/live",
    "GET /health/ready",
    "GET /metrics",
    "POST /api/v1/session",
    "POST /token",
}
# What else than their role keeps people of the project from a row.
NOT_THEIRS = {
    ("DELETE /api/train/rate/{rating_id}", "admin"): 403,
    ("GET /i/{token}", "admin"): 404,
}
ENDLESS = "GET /api/train/events"
KEYS = ("prompts:read key", "feedback:write key", "exports:read key")
OTHERS = ("other rater", "other admin", *(f"other {key}" for key in KEYS))


def bodies(ids: dict[str, str]) -> dict[str, dict[str, Any]]:
    """What must be sent so that a route looks at its ids at all."""
    photo, moved = ("photo.jpg", b"no photo"), {"version": ids["name"], "revision": 1}
    shown, asked = {"from": ids["name"], "to": ids["name"]}, {"study_id": ids["study_id"]}
    guide = {"revision": 0, "words": "w", "anchors": ANCHORS, "tags": {"dark": "Dark"}}
    published = {"study": ids["study_id"], "version_id": new_id(), "revision": 1, "learnt": new_id()}
    return {
        "GET /prompts/current.json": {"params": {"key": ids["key"]}},
        "GET /admin/prompts/{key}/diff": {"params": shown},
        "GET /admin/prompts/{key}/publish": {"params": {"study": ids["study_id"]}},
        "GET /api/v1/prompts/{key}/diff": {"params": shown},
        "GET /api/v1/promotions": {"params": {"prompt_key": ids["key"]}},
        "POST /admin/prompts/{key}/promote": {"data": moved},
        "POST /admin/prompts/{key}/publish": {"data": published},
        "POST /admin/prompts/{key}/write": {"data": {"do": "keep", "changelog": "w"}},
        "POST /api/v1/promotions": {"json": moved},
        "POST /api/v1/promotions/best": {"json": asked},
        "POST /api/v1/promotions/rollback": {"json": {"prompt_key": ids["key"], "revision": 1}},
        "GET /api/v1/abtests": {"params": {"prompt_key": ids["key"]}},
        "POST /api/v1/abtests": {"json": {"study_id": ids["study_id"], "challengers": [ids["name"]]}},
        "POST /api/v1/abtests/{test_id}/approve": {"json": {"confirmation": ids["key"]}},
        "POST /api/v1/abtests/{test_id}/decline": {"json": {}},
        "GET /admin/evolution": {"params": {"study": ids["study_id"]}},
        "POST /admin/evolution/{study_id}/evolve": {"data": {"id": new_id()}},
        "POST /admin/evolution/{study_id}/settings": {"data": {"revision": "0", "every": "5"}},
        "GET /admin/abtests/new": {"params": {"study": ids["study_id"]}},
        "POST /admin/abtests/new": {"data": {"study": ids["study_id"], "challenger": ids["name"]}},
        "POST /admin/abtests/{test_id}/move": {"data": {"action": "stop"}},
        "POST /admin/abtests/{test_id}/approve": {"data": {"confirmation": ids["key"]}},
        "POST /api/train/evolve": {"json": {"study": ids["study_id"]}},
        "POST /api/v1/prompts/{key}/versions": {"json": {"changelog": "w"}},
        "POST /api/v1/feedback": {"json": {"id": new_id(), "version": ids["name"], "score": 3}},
        "POST /api/train/rate": {"json": {"answers": []}},
        "POST /api/enhance/train": {"data": {"study_id": ids["study_id"], "input_id": ids["input_id"]}},
        "PUT /api/v1/studies/{study_id}/assignments": {"json": {"kind": "everyone"}},
        "DELETE /api/v1/studies/{study_id}/assignments": {"params": {"kind": "everyone"}},
        "PATCH /api/v1/panels/{panel_id}": {"json": {"name": "Mine", "revision": 0}},
        "POST /admin/panels/{panel_id}/members": {"data": {"person": ids["user_id"]}},
        "POST /admin/panels/{panel_id}/members/remove": {"data": {"person": ids["user_id"]}},
        "POST /admin/studies/{study_id}/raters/remove": {"data": {"who": "everyone"}},
        "GET /admin/studies/compare": {"params": {"a": ids["study_id"]}},
        "POST /api/v1/studies/{study_id}/clone": {"json": {"name": "Mine"}},
        "POST /api/v1/studies/{study_id}/inputs": {"files": {"file": photo}},
        "PUT /api/v1/studies/{study_id}/guide": {"json": guide},
        "POST /api/v1/studies/{study_id}/raters/{user_id}/message": {"json": {"words": "w"}},
        "POST /api/v1/studies/{study_id}/raters/{user_id}/pause": {"json": {"words": "w"}},
        "POST /api/v1/studies/{study_id}/raters/{user_id}/answer": {"json": {"words": "w"}},
        "GET /api/v1/exports/{table}.csv": {"params": {"study": ids["study_id"]}},
        "GET /api/v1/exports/{table}.parquet": {"params": {"study": ids["study_id"]}},
        "GET /api/train/guide": {"params": {"study": ids["study_id"]}},
        "GET /api/train/guide/example": {"params": {"study": ids["study_id"], "score": 3}},
        "POST /api/train/enrolment": {"json": {"study": ids["study_id"], "read": True}},
        "POST /api/train/appeal": {"json": {"study": ids["study_id"], "words": "w"}},
        "PATCH /api/v1/studies/{study_id}": {"json": {"revision": 0}},
        "POST /api/v1/studies/{study_id}/raters/{user_id}/exclude": {"json": {"reason": "why"}},
        "POST /api/v1/users/{user_id}/erase": {"json": {"confirm": "planted"}},
        "POST /api/v1/inputs/{input_id}/erase": {"json": {"confirm": "erase"}},
        "PATCH /api/v1/users/{user_id}": {"json": {"role": "admin"}},
        "POST /admin/studies/{study_id}/guide/example": {"data": {"score": "3", "output": new_id()}},
        "POST /admin/studies/{study_id}/clone": {"data": {"name": "Mine"}},
        "POST /admin/studies/{study_id}/photos": {"data": {"do": "hold_out", "id": ids["input_id"]}},
        "POST /api/v1/studies/{study_id}/photos/change": {"json": {"action": "hold_out", "ids": [ids["input_id"]]}},
        "POST /api/v1/studies/{study_id}/batches": {"json": {"label": "mine"}},
        "POST /api/v1/batches/{batch_id}/files": {"json": {"files": []}},
        "POST /api/v1/batches/{batch_id}/manifest": {"content": b'{"file": "a.jpg"}'},
        "PUT /api/v1/batches/items/{item_id}": {"files": {"file": photo}},
        "POST /admin/studies/{study_id}/state": {"data": {"state": "paused"}},
        "POST /admin/people/{user_id}/role": {"data": {"role": "admin"}},
        "POST /admin/studies/{study_id}/raters/{user_id}/message": {"data": {"words": "w"}},
        "POST /admin/studies/{study_id}/raters/{user_id}/pause": {"data": {"words": "w"}},
        "POST /admin/studies/{study_id}/raters/{user_id}/answer": {"data": {"words": "w"}},
        "POST /admin/studies/{study_id}/raters/{user_id}/exclude": {"data": {"words": "w"}},
        "POST /admin/studies/{study_id}/raters/{user_id}/lift": {"data": {"exclusion_id": ids["exclusion_id"]}},
        "POST /status/message-read": {"data": {"study": ids["study_id"], "at": "2026-01-01T00:00:00Z"}},
        "POST /status/appeal": {"data": {"study": ids["study_id"], "words": "w"}},
    }


def test_every_route_says_who_it_is_for(site: Site) -> None:
    found = routes(site.app)
    assert {route.name for route in found if route.demand is None} == PUBLIC
    assert len({route.name for route in found}) == len(found) > 60


@pytest.mark.parametrize("name", ["nobody", "rater", "admin", *KEYS, "other rater", "other admin"])
def test_a_route_lets_in_whom_it_is_for_and_nobody_else(grounds: Grounds, name: str) -> None:
    wrong, person = {}, grounds.person(name)
    for route in routes(grounds.site.app):
        if route.demand is None or (route.name == ENDLESS and name != "nobody"):
            continue
        if person.may(route.demand):  # a fresh session, as routes may end it
            person = grounds.person(name)
        status = grounds.send(person, route.method, grounds.path(route)).status_code
        if not is_right(route, person, status):
            wrong[route.name] = status
    assert wrong == {}


def is_right(route: Route, person: Person, status: int) -> bool:
    """Tell whether a status is what the route's demand leads to."""
    if person.actor is None:
        return status == 401
    if not person.may(route.demand):
        return status == 403
    allowed = status < 500 and status not in (401, 403, 405)
    if person.name.startswith("other"):
        return allowed or (route.name, status) == ("DELETE /api/train/rate/{rating_id}", 403)
    return status == NOT_THEIRS.get((route.name, person.name)) or allowed


def test_another_project_reaches_no_row_and_sees_no_word_of_this_one(grounds: Grounds) -> None:
    people = [grounds.person(name) for name in OTHERS]
    sent, before = bodies(grounds.ids), rows(grounds)
    wrong = {}
    for route in routes(grounds.site.app):
        if route.demand is None or route.name == ENDLESS:
            continue
        body = sent.get(route.name, {})
        for person in people:
            if person.may(route.demand) and "session" not in route.path and "sign-out" not in route.path:
                answer = grounds.send(person, route.method, grounds.path(route), **body)
                if not hides(route, body, answer.status_code, grounds.ids) or MARK in answer.text:
                    wrong[route.name, person.name] = answer.status_code
    assert wrong == {}
    after = rows(grounds)
    assert {key for key, row in before.items() if after.get(key) != row and grounds.other not in row} == set()


def hides(route: Route, body: dict[str, Any], status: int, ids: dict[str, str]) -> bool:
    """Tell whether a status tells nothing of the rows that the request names, if it names any."""
    names_rows = "{" in route.path or any(value in json.dumps(body, default=str) for value in ids.values())
    return status in (403, 404) if names_rows else status < 500


def rows(grounds: Grounds) -> dict[tuple[str, str], str]:
    """Every row of the database by its table and key."""
    found = {}
    with grounds.world.parts.store.read() as tx:
        for table in metadata.sorted_tables:
            for row in tx.connection.execute(select(table)).mappings():  # type: ignore[attr-defined]
                key = "|".join(str(row[column.name]) for column in table.primary_key)
                found[table.name, key] = repr(dict(row))
    return found


def test_another_project_cannot_ask_for_a_study_of_this_one(grounds: Grounds) -> None:
    for name in ("other rater", "other admin"):
        person = grounds.person(name)
        for place in ("/train", "/status", "/api/train/next", "/api/train/status", "/api/train/events"):
            answer = grounds.send(person, "GET", place, params={"study": grounds.ids["study_id"]})
            assert answer.status_code == (303 if place == "/train" else 404), (name, place)


def test_another_project_cannot_rate_an_option_of_this_one(grounds: Grounds) -> None:
    with grounds.world.parts.store.read() as tx:
        option = tx.options.all(experiment_id=grounds.ids["experiment_id"])[0]
    answers = [{"id": grounds.ids["experiment_id"], "option_id": option.id, "score": 1}]
    answer = grounds.send(grounds.person("other rater"), "POST", "/api/train/rate", json={"answers": answers})
    assert [verdict["verdict"] for verdict in answer.json()["verdicts"]] == ["never_leased"]


FORGED = [
    ({"X-CSRF-Token": ""}, "stale-page"),
    ({"X-CSRF-Token": "0" * 64}, "stale-page"),
    ({"Origin": "https://evil.example"}, "foreign-origin"),
    ({"Origin": "null"}, "foreign-origin"),
    ({"Sec-Fetch-Site": "cross-site"}, "foreign-origin"),
    ({"Sec-Fetch-Site": "same-site"}, "foreign-origin"),
]


def test_nothing_changes_for_a_forged_request(grounds: Grounds) -> None:
    admin, before = grounds.person("admin"), rows(grounds)
    changing = [route for route in routes(grounds.site.app) if route.changes]
    wrong = {}
    for headers, kind in FORGED:
        for route in changing:
            answer = grounds.send(admin, route.method, grounds.path(route), headers=headers)
            refused = answer.status_code == 403 and answer.json()["type"] == f"/problems/{kind}"
            if not refused:
                wrong[route.name, str(headers)] = answer.status_code
    assert wrong == {}
    assert rows(grounds) == before


def test_a_machine_needs_no_token_and_a_cookie_beside_its_key_counts_for_nothing(grounds: Grounds) -> None:
    machines = [grounds.person(key) for key in KEYS]
    cookie = {"Cookie": grounds.person("admin").headers["Cookie"]}
    strange = {"Authorization": "Bearer palate_unknown", **cookie}
    for route in (route for route in routes(grounds.site.app) if route.demand is not None and route.changes):
        address = grounds.path(route)
        assert grounds.send(Person("stranger"), route.method, address, headers=strange).status_code == 401, route.name
        for machine in machines:
            answer = grounds.send(machine, route.method, address, headers=cookie)
            assert (answer.status_code == 403) == (not machine.may(route.demand)), route.name
            assert "stale-page" not in answer.text
