"""What a folder of objects promises: names once, whole bytes, no way out, and a full disk said so."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ml_service.errors import InvalidRequest, NotFound, StorageFull
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


def test_readers_never_see_half_of_a_replacement(objects: Folder) -> None:
    bodies = (b"a" * SIZE, b"b" * (SIZE // 2))
    objects.replace("current", bodies[0])
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
                objects.replace("current", bodies[number % 2])
        finally:
            over.set()
        seen = {body for reader in readers for body in reader.result()}
    assert seen <= set(bodies)
    assert objects.read("current") == bodies[(REPLACEMENTS - 1) % 2]


@pytest.mark.parametrize("name", ["../outside", "a/../../outside", "/etc/passwd", "", ".", "a/.."])
def test_names_outside_are_refused(name: str, objects: Folder) -> None:
    for use in (
        objects.read,
        objects.delete,
        lambda name: objects.create(name, b""),
        lambda name: objects.replace(name, b""),
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
    objects.replace("a", b"z")
    assert [path.name for path in objects.root.iterdir()] == ["a"]


def test_a_full_disk_is_said_and_nothing_is_lost(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", megabytes=1) as disk:
        objects = Folder(disk / "objects")
        objects.create("kept", b"old" * 1000)
        fill(disk)
        for write, name in ((objects.create, "new"), (objects.replace, "new"), (objects.replace, "kept")):
            with pytest.raises(StorageFull, match="is full; free some room"):
                write(name, bytes(SIZE))
        assert [path.name for path in objects.root.iterdir()] == ["kept"]
        assert objects.read("kept") == b"old" * 1000
        make_room(disk)
        assert objects.create("new", bytes(SIZE))
