"""Tables for analysis over HTTP: who gets them, of what, and what is refused before a file begins."""

import io
import re
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pyarrow.parquet import read_table

from tests.grounds import Grounds
from tests.site import Site, table_of
from tests.varied import expected, vary
from web.domain.studies.study import Study
from web.services.accounts import keys
from web.services.reports.tables import NAMES


@pytest.fixture
def second(site: Site) -> Study:
    return vary(site.world)


@pytest.fixture
def machine(site: Site) -> TestClient:
    key = keys.make_key(site.world.parts, site.world.admin, keys.KeyDraft("notebook", ("exports:read",)))[1]
    client = site.visitor(raise_errors=False)
    client.headers["Authorization"] = f"Bearer {key}"
    return client


@pytest.mark.parametrize("table", NAMES)
def test_an_admin_and_a_machine_get_every_table_in_both_forms(
    site: Site, second: Study, machine: TestClient, table: Any
) -> None:
    rows = expected(site.world, table, (site.world.study, second))
    for client in (site.signed_in("admin"), machine):
        parquet = client.get(f"/api/v1/exports/{table}.parquet")
        assert parquet.headers["content-type"] == "application/vnd.apache.parquet"
        assert parquet.headers["content-disposition"] == f'attachment; filename="palate-{table}.parquet"'
        assert read_table(io.BytesIO(parquet.content)).to_pylist() == rows
        text = table_of(client.get(f"/api/v1/exports/{table}.csv"))
        assert [row["id"] for row in text] == [row["id"] for row in rows]


def test_one_study_goes_by_its_id_or_name(site: Site, second: Study, machine: TestClient) -> None:
    for study in (second.id, second.name):
        answer = machine.get("/api/v1/exports/options.csv", params={"study": study})
        assert {row["study_id"] for row in table_of(answer)} == {second.id}
        assert len(table_of(answer)) == 4


def test_what_is_not_there_is_refused_with_what_is(site: Site, second: Study, machine: TestClient) -> None:
    for path, words in (
        ("people.csv", "There is no table people. There are: ratings, options, experiments, inputs."),
        ("ratings.parquet?study=Nothing", "There is no study Nothing. There are: Photos, Zweite, “Studie”."),
    ):
        answer = machine.get(f"/api/v1/exports/{path}")
        assert (answer.status_code, answer.json()["detail"]) == (404, words)
    assert machine.get("/api/v1/exports/ratings.xlsx").status_code == 404


def test_raters_other_keys_and_other_projects_get_none(grounds: Grounds) -> None:
    for name in ("rater", "prompts:read key", "feedback:write key"):
        answer = grounds.send(grounds.person(name), "GET", "/api/v1/exports/ratings.csv")
        assert (answer.status_code, answer.json()["detail"]) == (
            403,
            "This needs a key with the scope exports:read, or an admin.",
        )
    path = "/api/v1/exports/ratings.csv"
    assert len(table_of(grounds.send(grounds.person("exports:read key"), "GET", path))) == 1
    assert table_of(grounds.send(grounds.person("other exports:read key"), "GET", path)) == []


def test_a_machine_of_tables_may_nothing_else(machine: TestClient) -> None:
    for path in ("/prompts/current.json", "/api/train/history.csv", "/api/v1/studies"):
        assert machine.get(path).status_code == 403


def test_the_history_links_to_the_tables_of_the_study_that_is_looked_at(site: Site, second: Study) -> None:
    admin = site.signed_in("admin")
    for query in ({}, {"study": second.id}):
        text = admin.get("/history", params=query, headers={"Accept": "text/html"}).text
        links = re.findall(r'href="(/api/v1/exports/[^"]+)"', text)
        assert len(links) == 2 * len(NAMES)
        studies = {
            row["study_id"] for row in table_of(admin.get(next(link for link in links if "ratings.csv" in link)))
        }
        assert studies == ({second.id} if query else {second.id, site.world.study.id})
    assert "/api/v1/exports/" not in site.signed_in("rater").get("/history", headers={"Accept": "text/html"}).text
