"""What a folder of objects promises: names once, whole bytes, no way out, and a full disk said so."""

import io
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from ml_service.errors import Conflict, InvalidRequest, NotFound, StorageFull
from ml_service.objects import local
from ml_service.objects.local import Folder
from tests.disk import fill, make_room, small_disk

WRITERS = 8
REPLACEMENTS = 60
SIZE = 300_000


@pytest.fixture
def objects(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "objects")


def test_a_name_is_given_once(objects: Folder) -> None:
    assert objects.create("inputs/a/b", b"first")
    assert not objects.create("inputs/a/b", b"second")
    assert objects.read("inputs/a/b") == b"first"


def test_of_many_who_create_a_name_at_once_one_does(objects: Folder) -> None:
    barrier = threading.Barrier(WRITERS)

    def create(body: bytes) -> bool:
        barrier.wait()
        return objects.create("name", body)

    bodies = [bytes([65 + number]) * SIZE for number in range(WRITERS)]
    with ThreadPoolExecutor(WRITERS) as pool:
        made = list(pool.map(create, bodies))
    assert made.count(True) == 1
    assert objects.read("name") == bodies[made.index(True)]


def test_what_is_deleted_while_a_folder_is_looked_at_hides_none_of_the_others(
    objects: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b", "c"):
        objects.create(f"inputs/{name}", b"body")
    real, (first, *others) = local._tag, list(objects.tags("inputs"))

    def tag(found: os.stat_result) -> str:
        objects.delete(others[0])
        return real(found)

    monkeypatch.setattr(local, "_tag", tag)
    assert objects.tags("inputs").keys() == {first, *others[1:]}


def test_what_was_deleted_stays_deleted_when_the_power_goes(objects: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    objects.create("inputs/a", b"body")
    synced: list[tuple[Path, bool]] = []
    monkeypatch.setattr(local, "_sync", lambda folder: synced.append((folder, objects.has("inputs/a"))))
    objects.delete("inputs/a")
    assert synced == [(objects.root / "inputs", False)]
    objects.delete("inputs/a")
    assert len(synced) == 1


def test_readers_never_see_half_of_a_replacement(objects: Folder) -> None:
    bodies = (b"a" * SIZE, b"b" * (SIZE // 2))
    tag = objects.replace("current", bodies[0], "")
    over = threading.Event()

    def read() -> list[bytes]:
        seen: set[bytes] = set()
        while not over.is_set():
            seen.add(objects.read("current"))
        return list(seen)

    with ThreadPoolExecutor(3) as pool:
        readers = [pool.submit(read) for _ in range(3)]
        try:
            for number in range(REPLACEMENTS):
                tag = objects.replace("current", bodies[number % 2], tag)
        finally:
            over.set()
        seen = {body for reader in readers for body in reader.result()}
    assert seen <= set(bodies)
    assert objects.read("current") == bodies[(REPLACEMENTS - 1) % 2]


def test_a_stale_replacement_is_refused(objects: Folder) -> None:
    first = objects.replace("current", b"one", "")
    second = objects.replace("current", b"two", first)
    for stale in (first, ""):
        with pytest.raises(Conflict, match="changed meanwhile"):
            objects.replace("current", b"three", stale)
    assert objects.read("current") == b"two"
    assert objects.tag("current") == second
    objects.delete("current")
    assert objects.tag("current") == ""


def test_a_tag_is_another_with_each_write_of_the_same_bytes_too(objects: Folder) -> None:
    tags = [objects.replace("current", b"one", "")]
    for _ in range(200):
        tags.append(objects.replace("current", b"one", tags[-1]))
    assert len({*tags}) == len(tags)
    (objects.root / "current").write_bytes(b"two")
    with pytest.raises(Conflict):
        objects.replace("current", b"three", tags[-1])


def test_the_tags_of_a_folder_are_of_what_lies_right_in_it(objects: Folder) -> None:
    assert objects.tags("versions") == {}
    for name in ("versions/a", "versions/b/c", "versions/.hidden", "d"):
        objects.create(name, b"x")
    assert objects.tags("versions") == {"versions/a": objects.tag("versions/a")}
    objects.replace("versions/a", b"x", objects.tag("versions/a"))
    assert objects.tags("versions") == {"versions/a": objects.tag("versions/a")}


def test_of_many_who_replace_the_same_bytes_one_does(objects: Folder) -> None:
    tag = objects.replace("current", b"old", "")
    barrier = threading.Barrier(WRITERS)

    def replace(body: bytes) -> bool:
        barrier.wait()
        try:
            objects.replace("current", body, tag)
        except Conflict:
            return False
        return True

    bodies = [bytes([65 + number]) * SIZE for number in range(WRITERS)]
    with ThreadPoolExecutor(WRITERS) as pool:
        done = list(pool.map(replace, bodies))
    assert done.count(True) == 1
    assert objects.read("current") == bodies[done.index(True)]


def test_names_are_listed_by_what_they_begin_with(objects: Folder) -> None:
    assert objects.list() == ()
    for name in ("versions/b", "versions/a/c", "other/d", "versions/.hidden"):
        objects.create(name, b"")
    assert objects.list() == ("other/d", "versions/a/c", "versions/b")
    assert objects.list("versions/a") == ("versions/a/c",)


@pytest.mark.parametrize("name", ["../outside", "a/../../outside", "/etc/passwd", "", ".", "a/.."])
def test_names_outside_are_refused(name: str, objects: Folder) -> None:
    for use in (
        objects.read,
        objects.open,
        objects.has,
        objects.delete,
        lambda name: objects.create(name, b""),
        lambda name: objects.replace(name, b"", ""),
    ):
        with pytest.raises(InvalidRequest, match="not a name"):
            use(name)
    assert not (objects.root.parent / "outside").exists()


def test_a_link_that_leads_outside_is_refused(objects: Folder, tmp_path: Path) -> None:
    objects.create("a", b"")
    (objects.root / "way").symlink_to(tmp_path)
    with pytest.raises(InvalidRequest):
        objects.create("way/out", b"x")


def test_what_is_deleted_is_gone_and_may_be_deleted_again(objects: Folder) -> None:
    objects.create("a", b"x")
    objects.delete("a")
    objects.delete("a")
    with pytest.raises(NotFound, match="no object a"):
        objects.read("a")
    assert objects.create("a", b"y")


def test_nothing_is_left_beside_what_was_written(objects: Folder) -> None:
    objects.create("a", b"x")
    objects.create("a", b"y")
    objects.replace("a", b"z", objects.tag("a"))
    assert [path.name for path in objects.root.iterdir()] == ["a"]


def test_a_stream_is_stored_and_read_a_piece_at_a_time(objects: Folder) -> None:
    body = bytes(range(256)) * 20_000
    assert objects.create("data/set", io.BytesIO(body))
    assert not objects.create("data/set", io.BytesIO(b"other"))
    with objects.open("data/set") as file:
        assert file.read(1000) == body[:1000]
        assert file.read() == body[1000:]
    with pytest.raises(NotFound, match="no object missing"):
        objects.open("missing")


def test_a_stream_that_breaks_off_stores_nothing(objects: Folder) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() > 0:
                raise ConnectionError("the other end is gone")
            return super().read(size)

    with pytest.raises(ConnectionError, match="the other end"):
        objects.create("data/set", Broken(bytes(SIZE)))
    assert not objects.has("data/set")
    assert list((objects.root / "data").iterdir()) == []


def test_it_says_what_it_has_and_has_no_addresses(objects: Folder) -> None:
    assert not objects.has("inputs/a")
    objects.create("inputs/a", b"")
    assert objects.has("inputs/a")
    assert not objects.has("inputs")
    assert objects.url("inputs/a", timedelta(hours=1)) is None
    objects.delete("inputs/a")
    assert not objects.has("inputs/a")


def test_a_full_disk_is_said_and_nothing_is_lost(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", megabytes=1) as disk:
        objects = Folder(disk / "objects")
        objects.create("kept", b"old" * 1000)
        fill(disk)
        tag = objects.tag("kept")
        for write in (
            lambda: objects.create("new", bytes(SIZE)),
            lambda: objects.replace("new", bytes(SIZE), ""),
            lambda: objects.replace("kept", bytes(SIZE), tag),
        ):
            with pytest.raises(StorageFull, match="is full; free some room"):
                write()
        assert [path.name for path in objects.root.iterdir()] == ["kept"]
        assert objects.read("kept") == b"old" * 1000
        make_room(disk)
        assert objects.create("new", bytes(SIZE))
