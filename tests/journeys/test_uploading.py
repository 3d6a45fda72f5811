"""Uploading: many photos at once, each with its own progress, its own grid or its own reason why not."""

import io
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Locator, expect

from tests.journeys.rater import Rater
from tests.journeys.server import Server
from tests.journeys.studies import photos
from web.domain.studies.study import Study

HAND_OVER = """([event, name, bytes]) => {
  const transfer = new DataTransfer();
  transfer.items.add(new File([new Uint8Array(bytes)], name, { type: "image/jpeg" }));
  document.dispatchEvent(event === "drop" ? new DragEvent(event, { dataTransfer: transfer, bubbles: true })
    : new ClipboardEvent(event, { clipboardData: transfer, bubbles: true }));
}"""


def as_format(kind: str, number: int) -> bytes:
    """One of the photos in a file format, with a note inside that must not get out."""
    image = Image.open(io.BytesIO(photos()[number].body))
    exif = Image.Exif()
    exif[0x010E] = "SECRET PLACE"
    written = io.BytesIO()
    image.save(written, kind, exif=exif)
    return written.getvalue()


def upload_of(rater: Rater, name: str) -> Locator:
    return rater.page.locator("li.upload").filter(has_text=name)


def rate_version(upload: Locator, version: int, score: int) -> None:
    scores = upload.get_by_role("group", name=f"Version {version}: how good is it?")
    scores.scroll_into_view_if_needed()  # a version can be rated once it was on the screen
    scores.get_by_role("radio").nth(score - 1).click()


@pytest.mark.network_fails
def test_files_chosen_together_are_made_and_rated_or_refused_by_name(
    server: Server, study: Study, rater: Rater, tmp_path: Path
) -> None:
    good = {"one.jpg": as_format("JPEG", 0), "two.png": as_format("PNG", 1), "three.webp": as_format("WEBP", 2)}
    bad = {"letter.jpg": b"Dear all, this is not a photo.", "half.jpg": as_format("JPEG", 3)[:2000], "empty.png": b""}
    for name, body in {**good, **bad}.items():
        (tmp_path / name).write_bytes(body)
    with rater.page.expect_file_chooser() as chooser:
        rater.page.get_by_role("button", name="Upload").click()
    chooser.value.set_files([tmp_path / name for name in (*good, *bad)])

    for name in good:
        expect(upload_of(rater, name)).to_have_attribute("data-state", "ready", timeout=60_000)
    for name in bad:
        expect(upload_of(rater, name)).to_have_attribute("data-state", "failed")
        expect(upload_of(rater, name).get_by_role("alert")).not_to_be_empty()
    for number, name in enumerate(good, start=1):
        rate_version(upload_of(rater, name), 1, number)
        rate_version(upload_of(rater, name), 2, 5)
        expect(upload_of(rater, name).get_by_text("Rated")).to_have_count(2)
    rate_version(upload_of(rater, "one.jpg"), 1, 4)
    rater.settled()

    ratings = server.ratings(study.id)
    assert [rating.score for rating in ratings] == [1, 5, 2, 5, 3, 5, 4]
    assert [rating.undone_at is None for rating in ratings] == [False, *[True] * 6]
    assert ratings[6].option_id == ratings[0].option_id
    with server.store.read() as tx:
        made = {tx.experiments.get(rating.experiment_id) for rating in ratings}
        names = {tx.inputs.get(experiment.input_id).name for experiment in made}
    assert {experiment.held_for for experiment in made} == {ratings[0].judge_id}
    assert names == set(good)


def test_photos_are_taken_when_dropped_and_when_pasted(study: Study, rater: Rater) -> None:
    for number, event in enumerate(("drop", "paste"), start=4):
        rater.page.evaluate(HAND_OVER, [event, f"{event}.jpg", list(photos()[number].body)])
        expect(upload_of(rater, f"{event}.jpg")).to_have_attribute("data-state", "ready", timeout=60_000)
        expect(upload_of(rater, f"{event}.jpg").locator("figure")).to_have_count(3)


@pytest.mark.network_fails
def test_photos_chosen_without_network_are_told_of_and_taken_once_it_is_back(rater: Rater, tmp_path: Path) -> None:
    (tmp_path / "one.jpg").write_bytes(as_format("JPEG", 0))
    page = rater.page
    page.context.set_offline(True)
    page.locator("#files").set_input_files(tmp_path / "one.jpg")
    expect(page.get_by_text("Choose the photos again once it is back.")).to_be_visible()
    page.context.set_offline(False)
    page.locator("#files").set_input_files(tmp_path / "one.jpg")
    expect(upload_of(rater, "one.jpg")).to_have_attribute("data-state", "ready", timeout=60_000)
