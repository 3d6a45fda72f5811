"""The photos of a study in a real browser: a folder that a closed tab cut short, a zip, a manifest, many at once."""

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.journeys.conftest import Join
from tests.journeys.screens import look
from tests.journeys.server import Server, until
from tests.journeys.studies import photos
from tests.journeys.test_accessible import assert_accessible_in_light_and_dark
from tests.pictures import picture, saved
from web.adapters.generators.local import SPACE
from web.domain.ids import new_id
from web.domain.studies.study import Study
from web.domain.studies.sweeps import Sweep
from web.services.studies.studies import StudyDraft, make_study, move_study

WIDTHS = (1280, 1024, 390)


@pytest.fixture
def empty(server: Server, request: pytest.FixtureRequest) -> Iterator[Study]:
    """A paused study without photos."""
    study = make_study(server.parts, server.operator, StudyDraft(request.node.name, {"local": SPACE}))
    yield move_study(server.parts, server.operator, study.id, "paused")
    move_study(server.parts, server.operator, study.id, "archived")


def bodies(count: int) -> dict[str, bytes]:
    return {f"day {number % 3}/photo {number}.jpg": photos()[number].body for number in range(count)}


def folder_of(place: Path, files: dict[str, bytes]) -> Path:
    for path, body in files.items():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_bytes(body)
    return place


def names(server: Server, study: Study) -> list[str]:
    with server.store.read() as tx:
        return sorted(source.name for source in tx.inputs.all(study_id=study.id, removed_at=None))


def opened(page: Page, study: Study, query: str = "") -> Page:
    page.goto(f"/admin/studies/{study.id}/photos{query}")
    return page


def look_at_each_width(page: Page, name: str) -> None:
    before = page.viewport_size
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 844})
        look(page, f"{name}-{width}")
    if before:
        page.set_viewport_size(before)
    assert_accessible_in_light_and_dark(page)


@pytest.mark.network_fails
def test_a_folder_that_a_closed_tab_cut_short_is_chosen_again(
    server: Server, empty: Study, join: Join, tmp_path: Path
) -> None:
    files = {**bodies(8), "letter.jpg": b"Dear all, this is no photo.", "notes.txt": b"no photo", ".hidden/x.jpg": b"x"}
    folder, admin = folder_of(tmp_path / "holiday", files), join(role="admin")
    page = opened(admin.page, empty)
    look_at_each_width(page, "photos-none")
    sent = 0

    def some(route: Route) -> None:
        nonlocal sent
        sent += 1
        if sent > 4:
            return route.fulfill(status=503, headers={"Retry-After": "0"}, content_type="text/html", body="busy")
        return route.continue_()

    page.context.route("**/batches/items/*", some)
    page.locator("input[data-folder]").set_input_files(folder)
    expect(page.locator("[data-count]")).to_contain_text("4 of 9", timeout=60_000)
    expect(page.locator("[data-rows] li").first).to_be_visible()
    assert_accessible_in_light_and_dark(page)
    page.close()

    page = opened(admin.page.context.new_page(), empty)
    expect(page.get_by_text("5 of 9 of holiday are missing.")).to_be_visible()
    look_at_each_width(page, "photos-missing")
    page.context.unroute("**/batches/items/*")
    page.locator("input[data-folder]").set_input_files(folder)
    expect(page.locator("[data-done]")).to_contain_text("holiday: 8 added, 0 there already, 1 refused.", timeout=60_000)
    expect(page.locator("[data-done]")).to_contain_text("Come before, and not sent again: 4.")
    expect(page.locator("[data-done]")).to_contain_text("One file is no photo and was passed over.")
    page.locator("[data-done] summary").click()
    expect(page.locator("[data-done]")).to_contain_text("letter.jpg: ")
    expect(page.get_by_text("5 of 9 of holiday are missing.")).to_have_count(0)
    look_at_each_width(page, "photos-added")
    assert names(server, empty) == sorted(f"photo {number}.jpg" for number in range(8))
    page.get_by_role("link", name="Show the photos").click()
    expect(page.locator("ul.inputs > li")).to_have_count(8)
    look_at_each_width(page, "photos")


@pytest.mark.parametrize(("hangs", "came"), [("**/batches/*/files", 0), ("**/batches/items/*", 2)])
def test_what_hangs_is_stopped_at_once_and_the_page_says_what_is_missing(
    server: Server, empty: Study, join: Join, tmp_path: Path, hangs: str, came: int
) -> None:
    folder, page = folder_of(tmp_path / "holiday", bodies(6)), opened(join(role="admin").page, empty)
    broken_off, asked = list[str](), list[Route]()
    page.on("requestfailed", lambda request: broken_off.append(request.url))

    def hang(route: Route) -> None:
        asked.append(route)
        if len(asked) <= came:
            route.continue_()

    page.context.route(hangs, hang)
    page.locator("input[data-folder]").set_input_files(folder)
    expect(page.locator("[data-count]")).to_have_text(f"{came} of 6")
    until("all that is sent at once hangs", lambda: page.evaluate("1") and len(asked) == (came + 3 if came else 1))
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("[data-done]")).to_contain_text(f"Missing, as this was stopped: {6 - came}.", timeout=2_000)
    expect(page.locator("[data-done]")).to_contain_text(f"holiday: {came} added, 0 there already, 0 refused.")
    expect(page.locator("[data-sending]")).to_be_hidden()
    until("what hung is broken off", lambda: page.evaluate("1") and len(broken_off) == len(asked) - came)
    page.context.unroute_all(behavior="ignoreErrors")
    page.locator("input[data-folder]").set_input_files(folder)
    expect(page.locator("[data-done]")).to_contain_text("holiday: 6 added", timeout=60_000)
    assert len(names(server, empty)) == 6


@pytest.mark.network_fails
def test_a_page_that_refused_a_change_lives_on(server: Server, study: Study, join: Join) -> None:
    under_way = Sweep(new_id(), study.id, "hold_out", server.parts.clock.now(), total=300, done=20)
    with server.store.begin() as tx:
        tx.sweeps.add(under_way)
    page = opened(join(role="admin").page, study, "?held=no")
    page.locator("[data-one]").nth(1).check()
    page.get_by_text("Erase…", exact=True).first.click()
    page.locator("#confirm-erase").fill("no")
    page.get_by_role("button", name="Erase", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was erased")
    expect(page.locator("[data-chosen]")).to_have_text("1 chosen")
    expect(page.locator("[data-one]").nth(1)).to_be_checked()
    look_at_each_width(page, "photos-refused")
    with server.store.begin() as tx:
        tx.sweeps.replace(replace(under_way, done=300, finished_at=server.parts.clock.now()))
    expect(page.get_by_text("Held out 300 photos.")).to_be_visible(timeout=30_000)
    expect(page.locator("[data-one]").nth(1)).to_be_checked()
    page.goto(page.url)
    expect(page.locator("select#held")).to_have_value("no")


def test_a_zip_is_unpacked_here_and_a_manifest_says_what_is_in_it(
    server: Server, empty: Study, join: Join, tmp_path: Path
) -> None:
    packed, listed = io.BytesIO(), []
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, body in bodies(3).items():
            archive.writestr(path, body)
            listed.append(json.dumps({"file": path, "name": f"My {path[-11:]}", "stratum": "dusk"}))
        archive.writestr("__MACOSX/._x.jpg", b"x")
        archive.writestr("../outside.jpg", saved(picture(), "PNG"), zipfile.ZIP_STORED)
        archive.writestr("inner.zip", b"PK")
        archive.writestr("bomb.jpg", bytes(40_000_000))
        archive.writestr("list.jsonl", "\n".join(listed))
    (tmp_path / "all.zip").write_bytes(packed.getvalue())
    (tmp_path / "half.zip").write_bytes(packed.getvalue()[:2000])
    page = opened(join(role="admin").page, empty)
    page.locator("input[data-files]").set_input_files(tmp_path / "all.zip")
    expect(page.locator("[data-done]")).to_contain_text("all.zip: 4 added", timeout=60_000)
    expect(page.locator("[data-rows]")).to_contain_text("bomb.jpg")
    with server.store.read() as tx:
        kept = {source.name: source.stratum for source in tx.inputs.all(study_id=empty.id)}
    assert kept == {**{f"My photo {number}.jpg": "dusk" for number in range(3)}, "outside.jpg": ""}
    page.locator("input[data-files]").set_input_files(tmp_path / "half.zip")
    expect(page.locator("[data-done]")).to_contain_text("This is no zip, or only a part of one.")


def test_a_manifest_names_files_from_its_own_folder_and_other_tables_stop_nothing(
    server: Server, empty: Study, join: Join, tmp_path: Path
) -> None:
    packed, page = io.BytesIO(), opened(join(role="admin").page, empty)
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("trip/in/a.jpg", photos()[0].body)
        archive.writestr("trip/list.csv", 'name,"file"\nFrom a zip,in/a.jpg\n')
        archive.writestr("trip/prices.csv", "item,price\nfilm,3\n")
    (tmp_path / "trip.zip").write_bytes(packed.getvalue())
    page.locator("input[data-files]").set_input_files(tmp_path / "trip.zip")
    expect(page.locator("[data-done]")).to_contain_text("trip.zip: 1 added, 0 there already, 0 refused.")
    expect(page.locator("[data-done]")).to_contain_text("Not taken, as no column is called file or url: prices.csv.")

    listed = {"file": "b.jpg", "name": "From a folder"}
    files = {f"{number}.csv": b"item\nfilm\n" for number in range(7)} | {"names.jsonl": b'{"profile": 1}\n'}
    files |= {"in/b.jpg": photos()[1].body, "in/list.jsonl": json.dumps(listed).encode()}
    page.locator("input[data-folder]").set_input_files(folder_of(tmp_path / "holiday", files))
    expect(page.locator("[data-done]")).to_contain_text("holiday: 1 added, 0 there already, 0 refused.")
    expect(page.locator("[data-done]")).to_contain_text("and 3 more.")
    assert names(server, empty) == ["From a folder", "From a zip"]
    look_at_each_width(page, "photos-other-tables")


@pytest.mark.network_fails
def test_a_manifest_at_fault_is_told_by_its_lines(empty: Study, join: Join, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("file,stratum\n../a.jpg,dusk\n")
    page = opened(join(role="admin").page, empty)
    page.locator("input[data-files]").set_input_files(tmp_path / "list.csv")
    expect(page.locator("[data-done]")).to_contain_text("line 2: file must lie in the folder of the manifest")


def test_photos_are_chosen_by_a_run_and_changed_together(server: Server, study: Study, join: Join) -> None:
    page = opened(join(role="admin").page, study)
    boxes = page.locator("[data-one]")
    expect(page.get_by_role("button", name="Hold out")).to_be_disabled()
    boxes.nth(1).click()
    boxes.nth(4).click(modifiers=["Shift"])
    expect(page.locator("[data-chosen]")).to_have_text("4 chosen")
    look_at_each_width(page, "photos-chosen")
    page.locator("#stratum-to").press("Enter")
    expect(page.locator("[data-chosen]")).to_have_text("4 chosen")
    page.locator("#stratum-to").fill("dusk")
    page.get_by_role("button", name="Set stratum").click()
    expect(page.get_by_text("Set the stratum of 4 photos (dusk).")).to_be_visible()
    page.get_by_text("More filters").click()
    page.locator("select#stratum").select_option("dusk")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("ul.inputs > li")).to_have_count(4)
    page.locator("#filter-name").fill("At dusk")
    page.get_by_role("button", name="Keep this filter").click()
    expect(page.get_by_role("link", name="At dusk")).to_be_visible()
    look_at_each_width(page, "photos-filtered")
    page.on("dialog", lambda dialog: dialog.accept())
    page.locator("[data-all]").check()
    page.get_by_role("button", name="Take down").click()
    expect(page.get_by_text("No photo matches.")).to_be_visible()
    look_at_each_width(page, "photos-no-match")
    assert len(names(server, study)) == 8
    opened(page, study, "?q=nothing%20of%20that%20name")
    expect(page.get_by_text("No photo matches.")).to_be_visible()
