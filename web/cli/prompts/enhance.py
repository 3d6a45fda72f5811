"""`enhance IN OUT`: apply the best settings that were learnt, or with `--watch` the live version, at full size."""

import json
import os
import re
import signal
import threading
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from client.palate_client import PalateClient
from ml_service.errors import InvalidRequest, NotFound
from ml_service.objects.local import Folder
from ml_service.wire.contract import Point
from web.adapters.generators.local import LocalGenerator
from web.adapters.images.cleaner import Cleaner
from web.cli.command import Desk, progress, say
from web.cli.prompts.journal import Journal
from web.cli.prompts.watch import Watcher, output_name, photos
from web.domain.prompts.prompt import DEFAULT_KEY
from web.ports.making import GenerateRequest, ImageCleaner, Maker
from web.ports.parts import Parts
from web.services.learning import best

KEY_VARIABLE = "PALATE_KEY"


def arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of `enhance`."""
    parser.add_argument("source", type=Path, metavar="IN", help="a photo, or a folder of photos")
    parser.add_argument("target", type=Path, metavar="OUT", help="where the result goes: a JPEG, or a folder")
    parser.add_argument("--study", help="the study whose best settings are used; default: the one rated most")
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
    parser.add_argument("--every", type=float, default=1.0, metavar="SECONDS", help="look so often; default: 1")


def run(arguments: Namespace, desk: Desk) -> int:
    """Enhance photos at full size, once or as they come."""
    full_size = LocalGenerator(max_side=None)
    if arguments.watch:
        return _watch(arguments, Cleaner(), full_size, desk.settings().prompts_dir)
    if arguments.source_of_versions or arguments.again:
        raise InvalidRequest("--from and --again go with --watch; without it, the best settings learnt here are used.")
    return _enhance(arguments, desk.parts(), full_size)


def _enhance(arguments: Namespace, here: Parts, generator: Maker) -> int:
    settings = best.settings(here, arguments.study, generator.name)
    point = _parse(arguments.point) if arguments.point else settings.point
    pairs = _pairs(arguments.source, arguments.target)
    for source, target in progress(pairs, "enhanced", len(pairs)):
        image = here.cleaner.clean(source.read_bytes())
        request = GenerateRequest(image.body, image.media_type, settings.prompt, point, settings.seed)
        results = Folder(target.parent)
        results.replace(target.name, generator.generate(request).body, results.tag(target.name))
    facts = {"files": len(pairs), "point": point, "version": settings.version, "from": settings.origin}
    say(arguments, f"{len(pairs)} enhanced with {settings.origin} ({settings.version}): {json.dumps(point)}", **facts)
    return 0


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


def _pairs(source: Path, target: Path) -> list[tuple[Path, Path]]:
    if source.is_dir():
        return [(path, target / output_name(path.name)) for path in photos(source)]
    if target.is_dir():
        target = target / output_name(source.name)
    if not source.is_file():
        raise NotFound(f"There is no file {source}.")
    return [(source, target)]
