"""The OpenAPI document describes every route, and describes it whole."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.grounds import Route, routes
from tests.site import Site

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
Operation = dict[str, Any]
OAUTH = {("POST /token", "400"), ("POST /token", "401")}  # RFC 6749 has errors of its own


@pytest.fixture
def described(site: Site) -> dict[str, Any]:
    return site.app.openapi()


def operations(site: Site) -> Iterator[tuple[Route, Operation]]:
    paths = site.app.openapi()["paths"]
    for route in routes(site.app):
        yield route, paths[route.path][route.method.lower()]


def test_signed_in_people_may_read_it_and_nobody_else(site: Site, described: dict[str, Any]) -> None:
    place = "/api/v1/openapi.json"
    assert site.signed_in().get(place).json() == described
    assert site.visitor().get(place).status_code == 401


def test_every_operation_has_a_name_and_a_sentence_of_its_own(site: Site) -> None:
    found = [operation for _, operation in operations(site)]
    assert len({operation["operationId"] for operation in found}) == len(found)
    assert all(operation["summary"] and operation["description"] for operation in found)


def test_every_operation_says_what_comes_of_it(site: Site) -> None:
    vague = []
    for route, operation in operations(site):
        good = {status: answer for status, answer in operation["responses"].items() if status < "400"}
        told = [answer for status, answer in good.items() if status in ("200", "201", "202")]
        bodies = [answer["content"] for answer in told if route.method != "HEAD"]
        kinds = [(kind, body) for content in bodies for kind, body in content.items()]
        if not good or (bodies and not kinds) or any("json" in kind and not body.get("schema") for kind, body in kinds):
            vague.append(route.name)
    assert vague == []


def test_every_refusal_is_a_problem_and_no_model_of_the_framework_is_left(
    site: Site, described: dict[str, Any]
) -> None:
    for route, operation in operations(site):
        refusals = {status: answer for status, answer in operation["responses"].items() if status >= "400"}
        assert refusals, route.name
        for status, answer in refusals.items():
            if (route.name, status) not in OAUTH:
                expected = {"$ref": "#/components/schemas/Problem"}
                assert answer["content"]["application/problem+json"]["schema"] == expected, (route.name, status)
    assert not {"HTTPValidationError", "ValidationError"} & set(described["components"]["schemas"])


def test_every_operation_says_who_may(site: Site) -> None:
    for route, operation in operations(site):
        told = operation.get("security", [])
        if route.demand is None:
            assert told == [], route.name
        else:
            assert told[0]["session"] == list(route.demand.roles), route.name
            assert ("csrf" in told[0]) == route.changes, route.name
            assert {"401", "403"} <= set(operation["responses"]), route.name
        assert ([{"key": [route.demand.scope]}] if route.demand and route.demand.scope else []) == told[1:]


def test_forms_with_files_are_described_though_they_are_read_late(described: dict[str, Any]) -> None:
    body = described["paths"]["/api/enhance/train"]["post"]["requestBody"]["content"]["multipart/form-data"]
    fields = described["components"]["schemas"][body["schema"]["$ref"].rsplit("/", 1)[-1]]["properties"]
    assert set(fields) == {"file", "input_id", "study_id"}


def test_what_a_history_is_filtered_by_is_told(described: dict[str, Any]) -> None:
    for place in ("/api/train/history", "/api/train/history.csv", "/history"):
        told = {parameter["name"] for parameter in described["paths"][place]["get"]["parameters"]}
        assert {"study", "generator", "low", "high", "tag", "state", "kind", "text", "since", "until"} <= told
