"""`enhance IN OUT`: apply the best settings that were learnt, or with `--watch` the live version, at full size."""

import json
import os
import re
import signal
import threading
from argparse import ArgumentParser, Namespace
from dataclasses import replace
from pathlib import Path
from typing import Any

from client.palate_client import PalateClient
from ml_service.errors import InvalidRequest, NotFound
from ml_service.objects.local import Folder
from ml_service.wire.contract import Point
from web.adapters.generators.local import LocalGenerator
from web.adapters.images.cleaner import BYTE_LIMIT, Cleaner
from web.cli.batch import Tally, bytes_of, each, patiently
from web.cli.command import Desk, real, say
from web.cli.found import study_id_of, takes_study
from web.cli.prompts.journal import Journal
from web.cli.prompts.watch import Watcher, output_name, photos
from web.domain.prompts.prompt import DEFAULT_KEY
from web.ports.making import GenerateRequest, ImageCleaner, Maker
from web.ports.parts import Parts
from web.services.learning import best
from web.services.learning.best import BestSettings

KEY_VARIABLE = "PALATE_KEY"


def arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of `enhance`."""
    parser.add_argument("source", type=Path, metavar="IN", help="a photo, or a folder of photos")
    parser.add_argument("target", type=Path, metavar="OUT", help="where the result goes: a JPEG, or a folder")
    takes_study(parser, "the study whose best settings are used", default="the one rated most")
    parser.add_argument("--point", help="use these settings instead, as JSON")
    parser.add_argument(
        "--watch", action="store_true", help="keep enhancing what comes into the folder IN, with the live version"
    )
    parser.add_argument(
        "--from",
        dest="source_of_versions",
        metavar="URL",
        help=f"the Palate to take it from, by {KEY_VARIABLE}; default: PROMPTS_DIR",
    )
    parser.add_argument(
        "--prompt-key", default=DEFAULT_KEY, metavar="KEY", help=f"whose live version; default: {DEFAULT_KEY}"
    )
    parser.add_argument("--again", action="store_true", help="enhance all of IN again whenever the version changes")
    parser.add_argument("--every", type=real(0.01), default=1.0, metavar="SECONDS", help="look so often; default: 1")


def run(arguments: Namespace, desk: Desk) -> int:
    """Enhance photos at full size, once or as they come."""
    full_size = LocalGenerator(max_side=None)
    if arguments.watch:
        return _watch(arguments, Cleaner(), full_size, desk.settings().prompts_dir)
    if arguments.source_of_versions or arguments.again:
        raise InvalidRequest("--from and --again go with --watch; without it, the best settings learnt here are used.")
    return _enhance(arguments, desk.parts(), full_size)


def _enhance(arguments: Namespace, here: Parts, generator: Maker) -> int:
    settings = _settings(arguments, here, generator)
    source, target = arguments.source, arguments.target

    def enhance(photo: Path) -> None:
        image = here.cleaner.clean(bytes_of(photo, BYTE_LIMIT + 1))
        request = GenerateRequest(image.body, image.media_type, settings.prompt, settings.point, settings.seed)
        _put(target / output_name(photo.name) if target.is_dir() else target, generator.generate(request).body)

    if source.is_dir():
        _make_folder(target)
        tally = each(arguments, [path for path in photos(source) if path.is_file()], "enhanced", enhance)
    elif source.is_file():
        patiently(enhance, source)
        tally = Tally(done=1)
    else:
        raise NotFound(f"There is no file and no folder {source}.")
    return _summed_up(arguments, tally, settings)


def _settings(arguments: Namespace, here: Parts, generator: Maker) -> BestSettings:
    """Return what all photos are made with: what --point says, else what was learnt."""
    study_id = None if arguments.study is None else study_id_of(here, arguments.study)
    settings = best.settings(here, study_id, generator.name)
    if arguments.point:
        settings = replace(settings, point=_parse(arguments.point), origin="the settings of --point")
    faults = generator.space().faults(generator.space().default() | settings.point)
    if faults:
        raise InvalidRequest(f"Nothing can be made with {settings.origin}: {'; '.join(faults)}.")
    return settings


def _summed_up(arguments: Namespace, tally: Tally, settings: BestSettings) -> int:
    words = f"{tally.done} enhanced with {settings.origin} ({settings.version}): {json.dumps(settings.point)}"
    counts = [f"{count} {word}" for count, word in ((tally.refused, "refused"), (tally.left, "left")) if count]
    words += f"; {', '.join(counts)}." if counts else ""
    facts = {"files": tally.done, "refused": tally.refused, "left": tally.left, "point": settings.point}
    say(arguments, words + tally.advice, **facts, version=settings.version, **{"from": settings.origin})
    return tally.code


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidRequest(f"{folder} cannot be the folder of the results: {error.strerror}.") from error


def _put(target: Path, body: bytes) -> None:
    """Put a result in place whole."""
    results = Folder(target.parent)
    results.replace(target.name, body, results.tag(target.name))


def _watch(arguments: Namespace, cleaner: ImageCleaner, generator: Maker, prompts_dir: Path) -> int:
    if arguments.study or arguments.point:
        raise InvalidRequest("--watch takes the settings of the live version; leave --study and --point out.")
    if not arguments.source.is_dir():
        raise NotFound(f"There is no folder {arguments.source}.")
    if arguments.source.resolve() == arguments.target.resolve():
        raise InvalidRequest("IN and OUT must be two folders, else results would be enhanced again.")
    client = _client(arguments, prompts_dir)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())

    def told(words: str, facts: dict[str, Any]) -> None:
        say(arguments, words, **facts)

    with Journal(arguments.target) as journal:
        watcher = Watcher(client, cleaner, generator, arguments.source, journal, told, arguments.again)
        known = {"watching": str(arguments.source), "prompt_key": client.prompt_key, "from": client.address}
        told(f"Watching {arguments.source} with the live version of {client.prompt_key} at {client.address}.", known)
        watcher.run(stop, arguments.every)
    waiting = client.flush()
    told(f"{watcher.enhanced} enhanced.", {"enhanced": watcher.enhanced, "unsent": waiting})
    return 0


def _client(arguments: Namespace, prompts_dir: Path) -> PalateClient:
    """Return a client of PROMPTS_DIR, read afresh for each photo, or of a server, whose last good version is kept."""
    key, url = arguments.prompt_key, arguments.source_of_versions
    try:
        if url is None:
            return PalateClient(prompts_dir, prompt_key=key, ttl=0.0)
        cache = arguments.target / ".palate" / re.sub("[^a-z0-9.-]+", "-", url.lower())
        return PalateClient(url, os.environ.get(KEY_VARIABLE, "").strip(), prompt_key=key, cache=cache, ttl=1.0)
    except ValueError as error:
        raise InvalidRequest(str(error)) from error


def _parse(text: str) -> Point:
    try:
        point = json.loads(text)
    except ValueError as error:
        raise InvalidRequest(f"--point is not JSON: {error}.") from error
    if not isinstance(point, dict):
        raise InvalidRequest('--point must be an object such as {"exposure": 0.3}.')
    return point
