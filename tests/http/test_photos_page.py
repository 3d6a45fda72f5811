"""The page of a study's photos: what its filters find, page by page, and what is done with many at once."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from tests.clock import FixedClock
from tests.site import Site, table_of
from tests.world import answer, make_world
from web.adapters.database.store import SqlStore
from web.domain.studies.study import Input
from web.services.operations import sweeps
from web.settings import Settings

PAGE = {"Accept": "text/html"}
NAMES = ("Beach at noon.jpg", "beach_50%.jpg", "Forest.jpg", "Ünter den Linden.jpg", "forest <b>.jpg")


@pytest.fixture
def site(store: SqlStore, clock: FixedClock, tmp_path: Path) -> Site:
    return Site(make_world(store, clock, tmp_path, inputs=0), Settings(_env_file=None))


@pytest.fixture
def admin(site: Site) -> TestClient:
    return site.signed_in("admin")


def add(site: Site, *names: str, **more: object) -> list[Input]:
    """Add photos of some names, oldest first."""
    made = []
    for name in names:
        with site.world.parts.store.read() as tx:
            seed = len(tx.inputs.all())
        source = site.world.add_input(seed)
        with site.world.parts.store.begin() as tx:
            made.append(tx.inputs.replace(replace(source, name=name, **more)))  # type: ignore[arg-type]
    return made


def place(site: Site, query: str = "") -> str:
    return f"/admin/studies/{site.world.study.id}/photos{query}"


def names_on(admin: TestClient, address: str) -> list[str]:
    """The names of the photos on a page, in their order."""
    answer = admin.get(address, headers=PAGE)
    assert answer.status_code == 200, answer.text
    return re.findall(r'class="input-name" title="([^"]*)"', answer.text)


@pytest.mark.storage
def test_every_photo_is_on_one_page_and_no_page_is_long(site: Site, admin: TestClient) -> None:
    wanted = [source.name for source in add(site, *(f"photo {number:03}" for number in range(130)))][::-1]
    found, address, pages = list[str](), place(site), 0
    while address:
        page = admin.get(address, headers=PAGE).text
        found += re.findall(r'class="input-name" title="([^"]*)"', page)
        following = re.search(r'href="([^"]*after=[^"]*)" rel="next"', page)
        address, pages = following[1].replace("&amp;", "&") if following else "", pages + 1
    assert (found, pages) == (wanted, 3)
    assert "60 of 130" in admin.get(place(site), headers=PAGE).text
    assert admin.get(place(site, "?after=nonsense"), headers=PAGE).status_code == 422


@pytest.mark.storage
@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("q=BEACH", ["beach_50%.jpg", "Beach at noon.jpg"]),
        ("q=%25", ["beach_50%.jpg"]),
        ("q=_", ["beach_50%.jpg"]),
        ("q=%3Cb%3E", ["forest &lt;b&gt;.jpg"]),
        ("stratum=wood", ["forest &lt;b&gt;.jpg", "Forest.jpg"]),
        ("stratum=+none&q=beach", ["beach_50%.jpg", "Beach at noon.jpg"]),
        ("stratum=none", ["Ünter den Linden.jpg"]),
        ("held=yes", ["Forest.jpg"]),
        ("by=terminal", ["Ünter den Linden.jpg"]),
        ("since=2026-03-02", ["forest &lt;b&gt;.jpg"]),
        ("until=2026-03-01&stratum=wood", ["Forest.jpg"]),
        ("q=nothing+of+that+name", []),
    ],
)
def test_a_filter_finds_what_it_names(site: Site, admin: TestClient, query: str, wanted: list[str]) -> None:
    person = site.world.person("admin").user_id
    *_, forest, lime, late = add(site, *NAMES, added_by=person)
    with site.world.parts.store.begin() as tx:
        tx.inputs.replace(replace(forest, stratum="wood", held_out=True))
        tx.inputs.replace(replace(lime, added_by=None, stratum="none"))
        tomorrow = late.created_at.replace(day=2)
        tx.inputs.replace(replace(late, stratum="wood", created_at=tomorrow))
    assert names_on(admin, place(site, f"?{query}")) == wanted
    of_csv = table_of(admin.get(f"/api/v1/studies/{site.world.study.id}/photos.csv?{query}"))
    assert [row["name"].replace("<", "&lt;").replace(">", "&gt;") for row in of_csv] == wanted


def test_rated_photos_are_told_from_unrated_ones(site: Site, admin: TestClient) -> None:
    add(site, "one", "two", "three")
    world = site.world
    rater = world.person()
    option = world.hold(rater, 1).held[0].options[0]
    assert world.rate(rater, answer(option.option_id)) == ["stored"]
    (rated,), unrated = names_on(admin, place(site, "?rated=yes")), names_on(admin, place(site, "?rated=no"))
    assert sorted([rated, *unrated]) == ["one", "three", "two"]
    shown = admin.get(place(site), headers=PAGE).text
    assert "3 in all, 1 rated" in " ".join(shown.split())
    study = " ".join(admin.get(f"/admin/studies/{world.study.id}", headers=PAGE).text.split())
    assert "3 photos, 1 of them rated" in study


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("query", ["rated=maybe", "held=1", "since=yesterday", "q=" + "a" * 401])
def test_a_filter_that_means_nothing_is_refused_in_words(site: Site, admin: TestClient, query: str) -> None:
    assert admin.get(place(site, f"?{query}"), headers=PAGE).status_code == 422


@pytest.mark.storage
def test_those_chosen_are_changed_and_no_others(site: Site, admin: TestClient) -> None:
    one, two, _ = add(site, "one", "two", "three")
    both = {"id": [one.id, two.id]}
    assert admin.post(place(site), data={**both, "do": "stratum", "stratum": " dusk "}).status_code == 303
    assert names_on(admin, place(site, "?stratum=dusk")) == ["two", "one"]
    assert admin.post(place(site), data={**both, "do": "hold_out"}).status_code == 303
    assert names_on(admin, place(site, "?held=no")) == ["three"]
    with site.world.parts.store.read() as tx:
        nexts = tx.of_experiments.next_inputs(site.world.study.id, 5)
    assert {source.name for source in nexts} == {"three"}
    assert admin.post(place(site), data={**both, "do": "let_in"}).status_code == 303
    rows = table_of(admin.post(place(site), data={**both, "do": "export"}))
    assert [(row["name"], row["stratum"], row["held_out"]) for row in rows] == [
        ("two", "dusk", "no"),
        ("one", "dusk", "no"),
    ]
    assert len(table_of(admin.post(place(site), data={"all": "yes", "do": "export"}))) == 3
    assert admin.post(place(site), data={"id": one.id, "do": "take_down"}).status_code == 303
    assert names_on(admin, place(site)) == ["three", "two"]
    assert admin.get(f"/media/input/{one.id}").status_code == 410
    assert "changed the photo" in re.sub(r"<[^>]+>", "", admin.get("/admin/audit", headers=PAGE).text)


@pytest.mark.storage
def test_all_that_match_are_erased_by_a_job_in_slices_and_what_came_later_is_not(site: Site, admin: TestClient) -> None:
    add(site, *(f"beach {number}" for number in range(sweeps.AT_HAND + 5)))
    (kept,) = add(site, "forest")
    asked, beaches = {"all": "yes", "do": "erase", "confirm": "erase"}, place(site, "?q=beach")
    refused = admin.post(beaches, data={**asked, "confirm": "yes"}, headers=PAGE)
    assert refused.status_code == 422
    assert "Nothing was erased" in refused.text
    assert admin.post(beaches, data=asked).status_code == 303
    site.world.clock.advance(seconds=1)
    (late,) = add(site, "beach of later")
    assert "Erasing 45 photos: 0 done" in " ".join(re.sub(r"<[^>]+>", "", admin.get(place(site)).text).split())
    site.world.work()
    assert set(names_on(admin, place(site))) == {kept.name, late.name}
    assert "Erased 45 photos." in " ".join(re.sub(r"<[^>]+>", "", admin.get(place(site)).text).split())
    with site.world.parts.store.read() as tx:
        (swept,) = tx.sweeps.all()
    assert (swept.done, swept.finished_at is not None) == (45, True)
    assert sweeps.run(site.world.parts, swept.id) == swept


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"do": "erase", "confirm": "no"}, "Nothing was erased"),
        ({"do": "stratum", "stratum": "a" * 121}, "at most 120 characters"),
        ({"do": "keep", "name": "b" * 61}, "1 to 60 characters"),
    ],
)
def test_a_page_that_refused_stays_where_it_is_with_all_that_was_sent(
    site: Site, admin: TestClient, sent: dict[str, str], said: str
) -> None:
    *_, last = reversed(add(site, *(f"beach {number}" for number in range(62))))
    first = admin.get(place(site, "?q=beach"), headers=PAGE).text
    (older,) = re.findall(r'href="([^"]*after=[^"]*)" rel="next"', first)
    refused = admin.post(older.replace("&amp;", "&"), data={**sent, "id": last.id}, headers=PAGE)
    assert (refused.status_code, said in refused.text) == (422, True)
    assert set(re.findall(r'<form [^>]*method="post" action="([^"]*photos\?[^"]*)"', refused.text)) == {older}
    assert re.findall(r'value="([^"]*)" data-one checked', refused.text) == [last.id]
    assert 'name="q" type="search" maxlength="100" value="beach"' in refused.text
    assert all(f'value="{typed}"' in refused.text for typed in sent.values())
    assert admin.get(older.replace("&amp;", "&"), headers=PAGE).status_code == 200, "live updates and a reload ask here"


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_group_is_shown_with_and_without_what_else_is_noted(site: Site, admin: TestClient) -> None:
    add(site, "one", related="twins")
    add(site, "two", related="triplets", metadata={"camera": "X100"})
    shown = admin.get(place(site), headers=PAGE).text
    assert re.findall(r"<dd>([^<]*)</dd>", shown) == ["triplets", "X100", "twins"]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_change_of_nothing_or_of_others_photos_is_refused(site: Site, admin: TestClient) -> None:
    study = site.world.study.id
    answers: dict[int, list[dict[str, object]]] = {
        422: [
            {"action": "hold_out"},
            {"action": "fly", "ids": ["a"]},
            {"action": "stratum", "argument": "a" * 121, "ids": ["a"]},
        ],
        404: [{"action": "hold_out", "ids": ["nothing"]}],
    }
    for status, bodies in answers.items():
        for body in bodies:
            assert admin.post(f"/api/v1/studies/{study}/photos/change", json=body).status_code == status, body
    with site.world.parts.store.read() as tx:
        assert tx.sweeps.all() == (), "what was refused is under way"


def test_a_filter_is_kept_for_oneself_under_a_name(site: Site, admin: TestClient) -> None:
    add(site, "beach", "forest")
    kept = {"do": "keep", "name": "Sands"}
    assert admin.post(place(site, "?q=beach"), data=kept).headers["location"] == place(site, "?q=beach")
    assert admin.post(place(site, "?q=forest"), data=kept).status_code == 303
    link = re.search(r'<li class="chip"><a href="([^"]+)">Sands', admin.get(place(site)).text)
    assert link is not None
    assert names_on(admin, link[1]) == ["forest"]
    assert "Sands" not in site.signed_in("admin").get(place(site)).text
    assert admin.post(place(site, "?q=a"), data={"do": "keep", "name": ""}, headers=PAGE).status_code == 422
    assert admin.post(place(site), data={"do": "keep", "name": "All"}, headers=PAGE).status_code == 422
    (delete,) = re.findall(r'action="([^"]+/delete)"', admin.get(place(site)).text)
    for _ in range(2):
        assert admin.post(delete).status_code == 303
    assert "Sands" not in admin.get(place(site)).text


@pytest.mark.storage
def test_the_api_gives_all_inputs_page_by_page(site: Site, admin: TestClient) -> None:
    wanted = [source.id for source in add(site, *(f"photo {number}" for number in range(5)))][::-1]
    here, found, after = f"/api/v1/studies/{site.world.study.id}/inputs", list[str](), ""
    while True:
        page = admin.get(here, params={"limit": 2, "after": after}).json()
        assert len(page["rows"]) <= 2
        found, after = found + [row["input"]["id"] for row in page["rows"]], page["after"]
        if not after:
            break
    assert found == wanted
    assert [row["input"]["id"] for row in admin.get(here).json()["rows"]] == wanted
    for wrong in ({"after": "nonsense"}, {"limit": 0}, {"limit": 501}):
        assert admin.get(here, params=wrong).status_code == 422
