"""`enhance IN OUT`: apply the best settings that were learnt, at full size."""

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path

from ml_service.contract import Point
from ml_service.errors import InvalidRequest, NotFound
from web.cli.command import Command, progress, say
from web.ports import GenerateRequest, Generator, Parts
from web.services import best

IMAGES = (".jpg", ".jpeg", ".png", ".webp")


def enhance_command(parts: Callable[[], Parts], full_size: Callable[[], Generator]) -> Command:
    """Return the `enhance` command; `full_size` makes the generator that does not shrink."""

    def run(arguments: Namespace) -> int:
        here = parts()
        settings = best.settings(here, arguments.study)
        point = _parse(arguments.point) if arguments.point else settings.point
        pairs = _pairs(arguments.source, arguments.target)
        for source, target in progress(pairs, "enhanced", len(pairs)):
            image = here.cleaner.clean(source.read_bytes())
            request = GenerateRequest(image.body, image.media_type, settings.prompt, point, settings.seed)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(full_size().generate(request).body)
        facts = {"files": len(pairs), "point": point, "version": settings.version, "from": settings.origin}
        say(
            arguments,
            f"{len(pairs)} enhanced with {settings.origin} ({settings.version}): {json.dumps(point)}",
            **facts,
        )
        return 0

    return Command("enhance", "apply the best settings to a photo or to a folder of photos", run, _arguments)


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("source", type=Path, metavar="IN", help="a photo, or a folder of photos")
    parser.add_argument("target", type=Path, metavar="OUT", help="where the result goes: a JPEG, or a folder")
    parser.add_argument("--study", help="the study whose best settings are used; default: the one rated most")
    parser.add_argument("--point", help="use these settings instead, as JSON")


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
        photos = sorted(path for path in source.iterdir() if path.suffix.lower() in IMAGES)
        return [(path, target / f"{path.stem}.jpg") for path in photos]
    if not source.is_file():
        raise NotFound(f"There is no file {source}.")
    return [(source, target)]
