"""Released versions as files: where they lie, how they are read, and how one is written once and for all."""

import re
from dataclasses import dataclass

from ml_service.errors import Conflict, InvalidRequest, NotFound
from ml_service.objects import ObjectStore
from web.domain.prompts.prompt import DEFAULT_KEY, VersionFile, from_bytes, is_key, number_of, to_bytes

FOLDER = "versions"
_FILE = re.compile(rf"{FOLDER}/(?:(?P<key>[^/]*)/)?(?P<name>[^/]*)\.json")
_RESTORE = "restore it from a backup or from version control."


@dataclass(frozen=True)
class Lying:
    """The names of the versions that lie in a prompt's folder, and paths of JSON files in it that are none of ours."""

    names: frozenset[str]
    strays: tuple[str, ...]


@dataclass(frozen=True)
class Published:
    """The names of the versions that lie in a store by prompt key, and paths of JSON files that are none of ours."""

    names: dict[str, set[str]]
    strays: tuple[str, ...]


def folder_of(key: str) -> str:
    """Return the folder in which the files of a prompt lie."""
    if not is_key(key):
        raise InvalidRequest(f"“{key[:80]}” is not the key of a prompt; it has up to 64 of a-z, 0-9 and -.")
    return FOLDER if key == DEFAULT_KEY else f"{FOLDER}/{key}"


def version_path(key: str, name: str) -> str:
    """Return where a version of a prompt lies."""
    number_of(name)
    return f"{folder_of(key)}/{name}.json"


def current_path(key: str = DEFAULT_KEY) -> str:
    """Return where a prompt's live version lies."""
    return f"{folder_of(key)}/current.json"


def meta_path(key: str = DEFAULT_KEY) -> str:
    """Return where it says since when the live version is live; a hint, which nobody needs."""
    return f"{folder_of(key)}/current.meta.json"


def load_current(files: ObjectStore, key: str = DEFAULT_KEY) -> VersionFile:
    """Return a prompt's live version as it is published; NotFound or Conflict says what is wrong with its file."""
    return _load(files, current_path(key), key)


def load_version(files: ObjectStore, name: str, key: str = DEFAULT_KEY) -> VersionFile:
    """Return a prompt's version by name; NotFound or Conflict says what is wrong with its file."""
    path = version_path(key, name)
    file = _load(files, path, key)
    if file.version != name:
        raise Conflict(f"{path} holds {file.version}; {_RESTORE}")
    return file


def save_version(files: ObjectStore, file: VersionFile) -> None:
    """Write a version where none is yet; Conflict where the name is taken by another one, which stays."""
    path, body = version_path(file.prompt_key, file.version), to_bytes(file)
    if not files.create(path, body) and files.read(path) != body:
        raise Conflict(f"{path} holds something else than {file.version} as it was released; {_RESTORE}")


def lying(files: ObjectStore, key: str) -> Lying:
    """Return what lies in the folder of one prompt; no other folder is looked at."""
    names, strays = set(), []
    for path in sorted(path for path in files.tags(folder_of(key)) if path.endswith(".json")):
        name = path.rpartition("/")[2].removesuffix(".json")
        if not _is_ours(path, key, name):
            strays.append(path)
        elif path not in (current_path(key), meta_path(key)):
            names.add(name)
    return Lying(frozenset(names), tuple(strays))


def published(files: ObjectStore) -> Published:
    """Return what lies there, by prompt key; a key of which only a live version lies there has no names."""
    names: dict[str, set[str]] = {}
    strays = []
    for path in (path for path in files.list(f"{FOLDER}/") if path.endswith(".json")):
        match = _FILE.fullmatch(path)
        key, name = (match["key"] or DEFAULT_KEY, match["name"]) if match else ("", "")
        if not _is_ours(path, key, name):
            strays.append(path)
        elif path in (current_path(key), meta_path(key)):
            names.setdefault(key, set())
        else:
            names.setdefault(key, set()).add(name)
    return Published(names, tuple(strays))


def _is_ours(path: str, key: str, name: str) -> bool:
    try:
        return path in (current_path(key), meta_path(key), version_path(key, name))
    except InvalidRequest:
        return is_key(key) and path in (current_path(key), meta_path(key))


def _load(files: ObjectStore, path: str, key: str) -> VersionFile:
    try:
        file = from_bytes(files.read(path))
    except NotFound as error:
        raise NotFound(f"There is no {path} in PROMPTS_DIR.") from error
    except InvalidRequest as error:
        raise Conflict(f"{path} in PROMPTS_DIR cannot be used: {error} Please {_RESTORE}") from error
    if file.prompt_key != key:
        raise Conflict(f"{path} in PROMPTS_DIR is of the prompt {file.prompt_key}; {_RESTORE}")
    return file
