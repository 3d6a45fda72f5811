"""What outlives a restart, what is pinned, and what lies in a folder."""

import os
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client.palate_client import PalateClient, PalateError, Version, Withdrawn, read_version
from ml_service.errors import Conflict
from ml_service.objects.local import Folder
from tests.client.conftest import Make
from tests.client.palate import PROBLEM, Handler, Palate, as_bytes, document, published, until
from web.domain.prompts.prompt import PromptVersion, Variable


def away(at: Handler) -> None:
    at.close_connection = True


def withdrawn(at: Handler) -> None:
    at.answer(410, b"{}", PROBLEM)


def write(folder: Path, body: bytes, name: str = "current") -> Path:
    path = folder / "versions" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    return path


def test_a_restart_in_an_outage_goes_on_with_what_was_kept(make: Make, palate: Palate, tmp_path: Path) -> None:
    palate.live = published("v1.4.0")
    assert make(cache=tmp_path).version.name == "v1.4.0"
    path = tmp_path / "versions" / "current.json"
    assert path.read_bytes() == palate.live
    os.utime(path, (1_700_000_000, 1_700_000_000))
    palate.fault = away
    client = make(cache=tmp_path)
    assert client.version.name == "v1.4.0"
    assert client.error
    assert client.stale_since is not None
    assert client.stale_since.timestamp() == 1_700_000_000
    palate.fault, palate.asked[:] = None, []
    client.refresh()
    assert palate.asked[0].tag is not None
    assert client.status()["stale_since"] is None
    assert path.stat().st_mtime > 1_700_000_000, "the kept file tells when it was last known to be live"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00" * 2000,
        published()[:-40],
        as_bytes({**document(), "changelog": "changed"}),
        published(prompt_key="other"),
        published(schema_version=2),
        b" " * (1 << 20) + published(),
    ],
)
def test_a_kept_file_that_is_not_whole_is_not_used(make: Make, palate: Palate, tmp_path: Path, body: bytes) -> None:
    path = write(tmp_path, body)
    palate.fault = away
    with pytest.raises(PalateError):
        _ = make(cache=tmp_path).version
    palate.fault = None
    assert make(cache=tmp_path).version.name == "v1.0.0"
    assert path.read_bytes() == palate.live


def test_a_copy_of_the_published_folder_is_a_cache(make: Make, palate: Palate, tmp_path: Path) -> None:
    write(tmp_path, published("v1.1.0"))
    palate.fault = away
    assert make(cache=tmp_path).version.name == "v1.1.0"


def test_a_cache_that_cannot_be_written_harms_nobody_and_is_written_once_it_can(
    make: Make, palate: Palate, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "versions").write_text("a file where the folder should be")
    client = make(cache=tmp_path)
    assert client.version.name == "v1.0.0"
    assert "cache cannot be written" in caplog.text
    (tmp_path / "versions").unlink()
    assert client.version.name == "v1.0.0"
    assert (tmp_path / "versions" / "current.json").read_bytes() == palate.live
    (tmp_path / "versions" / "current.json").unlink()
    for _ in range(2):
        assert client.version.name == "v1.0.0"
    assert (tmp_path / "versions" / "current.json").read_bytes() == palate.live
    assert list((tmp_path / "versions").iterdir()) == [tmp_path / "versions" / "current.json"]


def test_a_pinned_version_is_fetched_once_and_outlives_an_outage(make: Make, palate: Palate, tmp_path: Path) -> None:
    palate.pinned = {"v1.0.0": published("v1.0.0"), "v1.1.0": published("v1.1.0")}
    client = make(cache=tmp_path)
    assert {client.pinned("v1.1.0").name for _ in range(20)} == {"v1.1.0"}
    assert [asked.path for asked in palate.asked] == ["/prompts/versions/v1.1.0.json"]
    palate.fault = away
    assert make(cache=tmp_path).pinned("v1.1.0").name == "v1.1.0"
    with pytest.raises(PalateError, match=r"no v1\.0\.0 version"):
        client.pinned("v1.0.0")


@pytest.mark.parametrize("status", [404, 410])
def test_a_pinned_version_that_was_withdrawn_is_given_up_for_good(
    make: Make, palate: Palate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setattr("client.palate_client.PINNED_SECONDS", 0.0)
    palate.pinned = {"v1.1.0": published("v1.1.0")}
    client = make(cache=tmp_path)
    assert client.pinned("v1.1.0").name == "v1.1.0"
    palate.fault = lambda at: at.answer(status, b"{}", PROBLEM)
    with pytest.raises(Withdrawn, match=str(status)):
        client.pinned("v1.1.0")
    palate.fault = away
    with pytest.raises(Withdrawn):
        client.pinned("v1.1.0")
    with pytest.raises(PalateError):
        make(cache=tmp_path).pinned("v1.1.0")
    assert client.error is None, "what is live is another matter"


@pytest.mark.parametrize("status", [404, 410, 500])
def test_a_proxy_that_lost_its_way_takes_no_pinned_version_from_anybody(
    make: Make, palate: Palate, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setattr("client.palate_client.PINNED_SECONDS", 0.0)
    palate.pinned = {"v1.1.0": published("v1.1.0")}
    client = make()
    good = client.pinned("v1.1.0")
    palate.fault = lambda at: at.answer(status, b"default backend", "text/plain")
    assert client.pinned("v1.1.0") is good


def test_the_live_version_stays_even_where_palate_says_that_there_is_none(make: Make, palate: Palate) -> None:
    client = make()
    good = client.version
    palate.fault = withdrawn
    assert client.version is good
    assert "410" in str(client.error)


def test_another_version_under_a_pinned_name_is_refused(make: Make, palate: Palate) -> None:
    palate.pinned = {"v1.1.0": published("v1.2.0")}
    with pytest.raises(PalateError, match="another version"):
        make().pinned("v1.1.0")


@pytest.mark.parametrize("name", ["", "current", "v1", "v1.0", "../v1.0.0", "v1.0.0/..", "v1.0.0\n", "v١.0.0"])
def test_only_a_version_can_be_pinned(make: Make, name: str) -> None:
    with pytest.raises(PalateError, match="name is like"):
        make().pinned(name)


def test_a_folder_is_read_as_the_server_is(tmp_path: Path) -> None:
    path = write(tmp_path, published("v1.0.0"))
    write(tmp_path, published("v1.0.0"), "v1.0.0")
    client = PalateClient(tmp_path, ttl=0)
    good = client.version
    assert (good.name, client.pinned("v1.0.0").name) == ("v1.0.0", "v1.0.0")
    assert client.version is good
    for broken in (b"", published("v1.1.0")[:-9], b"{}"):
        path.write_bytes(broken)
        client.refresh()
        assert client.version is good
        assert client.error
    path.unlink()
    client.refresh()
    assert client.version is good
    assert "No such file" in str(client.error)
    write(tmp_path, published("v1.1.0"))
    client.refresh()
    assert client.version.name == "v1.1.0"
    assert client.error is None
    with pytest.raises(Withdrawn):
        client.pinned("v9.9.9")


def test_another_prompt_has_a_folder_of_its_own(tmp_path: Path) -> None:
    write(tmp_path, published(prompt_key="portraits"), "portraits/current")
    assert PalateClient(tmp_path, prompt_key="portraits").version.prompt_key == "portraits"


def test_a_folder_that_is_not_mounted_takes_no_pinned_version_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("client.palate_client.PINNED_SECONDS", 0.0)
    for name in ("current", "v1.0.0"):
        write(tmp_path, published(), name)
    client = PalateClient(tmp_path)
    good = client.pinned("v1.0.0")
    (tmp_path / "versions").rename(tmp_path / "away")
    assert client.pinned("v1.0.0") is good
    (tmp_path / "away").rename(tmp_path / "versions")
    (tmp_path / "versions" / "v1.0.0.json").unlink()
    until("its withdrawal", lambda: not _has(client, "v1.0.0"))


def _has(client: PalateClient, name: str) -> bool:
    try:
        return client.pinned(name).name == name
    except Withdrawn:
        return False


def test_the_shipped_version_renders_as_palate_renders_it() -> None:
    client = PalateClient("prompts")
    found = client.version
    made = PromptVersion(
        id="",
        prompt_key=found.prompt_key,
        number=1,
        name=found.name,
        components={name: dict(slots) for name, slots in found.components.items()},
        created_at=datetime.now(UTC),
        created_by="",
        variables={name: Variable(default=default) for name, default in found.variables.items()},
    )
    assert found.prompt("local") == made.rendered("local")


def test_a_reader_beside_writers_never_sees_half_a_version(tmp_path: Path) -> None:
    """One writer replaces the file as Palate does, another scribbles over it as no one should."""
    bodies = [published(f"v1.{n}.0", changelog="x" * (40 * n)) for n in range(40)]
    store, path = Folder(tmp_path), write(tmp_path, bodies[0])
    stop = threading.Event()

    def replace() -> None:
        n = 0
        while not stop.is_set():
            n += 1
            with suppress(Conflict):  # the other one was there first
                store.replace("versions/current.json", bodies[n % 40], store.tag("versions/current.json"))

    def scribble() -> None:
        n = 0
        while not stop.is_set():
            n += 7
            with path.open("wb", buffering=64) as file:
                file.write(bodies[n % 40])

    writers = [threading.Thread(target=work) for work in (replace, scribble)]
    client = PalateClient(tmp_path, ttl=0)
    seen: set[str] = set()
    assert client.version
    for writer in writers:
        writer.start()
    end = time.monotonic() + 2
    while time.monotonic() < end:
        client.refresh()
        version = client.version
        assert version.body in bodies
        seen.add(version.name)
    stop.set()
    for writer in writers:
        writer.join()
    assert len(seen) > 5


VALID = published("v1.2.3")
PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
JSON = st.recursive(PLAIN, lambda of: st.lists(of, max_size=3) | st.dictionaries(st.text(max_size=9), of, max_size=3))


class Source:
    """Hands the client whatever bytes it was given."""

    def __init__(self) -> None:
        self.body = VALID

    def fetch(self, name: str, tag: str = "") -> tuple[bytes, str]:
        """Return the bytes."""
        return self.body, ""


def looked_at(body: bytes) -> tuple[Version, str | None]:
    client = PalateClient("nowhere", ttl=0)
    client.source = source = Source()  # type: ignore[assignment]
    assert client.version.body == VALID
    source.body = body
    client.refresh()
    return client.version, client.error


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400))
def test_no_bytes_make_it_raise_or_lose_what_it_has(body: bytes) -> None:
    version, error = looked_at(body)
    assert version.body == VALID
    assert error


@settings(max_examples=150, deadline=None)
@given(at=st.integers(0, len(VALID) - 1), byte=st.integers(0, 255), cut=st.integers(0, len(VALID)), flip=st.booleans())
def test_a_flipped_byte_or_a_cut_is_noticed(at: int, byte: int, cut: int, flip: bool) -> None:
    body = VALID[:at] + bytes([byte]) + VALID[at + 1 :] if flip else VALID[:cut]
    version, _ = looked_at(body)
    assert version.name == "v1.2.3"
    assert version.prompt("local") == read_version(VALID).prompt("local")


@settings(max_examples=200, deadline=None)
@given(field=st.sampled_from([*document(), "later"]), value=JSON)
def test_rightly_hashed_content_of_wrong_types_is_refused_or_usable(field: str, value: object) -> None:
    try:
        body = as_bytes(document(**{"version": "v1.2.3", field: value}))  # type: ignore[arg-type]
    except (ValueError, UnicodeEncodeError):
        return
    version, error = looked_at(body)
    if version.body == VALID:
        assert error or body == VALID
        return
    for generator in version.components:
        assert all(isinstance(text, str) for text in version.prompt(generator, render=lambda text, _: text).values())
        assert all(type(value) in (int, float, str) for value in version.parameters(generator).values())
