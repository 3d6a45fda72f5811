"""Manifests, as they are read: of many faults the first are told, and memory stays in bounds."""

import tracemalloc

import pytest

from ml_service.errors import InvalidRequest
from web.domain.studies import manifest
from web.domain.studies.batch import ITEMS_LIMIT
from web.domain.studies.manifest import MOST_FAULTS, ManifestKind


@pytest.mark.parametrize(
    ("kind", "head", "line"), [("csv", "file,url\n", "a.jpg,https://x.example/a\n"), ("jsonl", "", "[1]\n")]
)
def test_of_many_faults_the_first_are_told_and_all_are_counted(kind: ManifestKind, head: str, line: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        manifest.read(head + 1_000 * line, kind)
    said = str(refused.value)
    assert said.count("line ") == MOST_FAULTS
    assert said.endswith(f" And {1_000 - MOST_FAULTS} more.")


def test_a_file_of_nothing_but_faults_takes_little_memory_and_is_not_read_to_its_end() -> None:
    text = "1\n" * 1_000_000
    tracemalloc.start()
    with pytest.raises(InvalidRequest, match=f"And {ITEMS_LIMIT - MOST_FAULTS:,} more"):
        manifest.read(text, "jsonl")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 6 * len(text)  # a copy of four bytes a letter, and hardly more


def test_one_photo_too_many_is_refused() -> None:
    whole = "file\n" + "".join(f"{number}.jpg\n" for number in range(ITEMS_LIMIT))
    assert len(manifest.read(whole, "csv")) == ITEMS_LIMIT
    with pytest.raises(InvalidRequest, match="at most 100,000 photos; divide this one"):
        manifest.read(whole + "one more.jpg\n", "csv")
    with pytest.raises(InvalidRequest, match="lists no photo"):
        manifest.read("file\n", "csv")
