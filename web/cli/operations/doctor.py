"""`doctor`: say what is missing or wrong on this machine, and what to do about it."""

import shutil
import socket
import sys
import tempfile
from argparse import ArgumentParser, Namespace
from base64 import b64decode
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import httpx

from ml_service.errors import ServiceError
from ml_service.objects.local import Folder
from ml_service.wire.contract import WIRE_VERSION
from web.adapters.database.migrate import is_current
from web.cli.command import Desk, say
from web.domain.clocks import JUMP, is_ahead
from web.domain.job import Job
from web.domain.prompts.prompt import DEFAULT_KEY
from web.ports.making import GenerateRequest
from web.ports.parts import Parts
from web.services.operations.views import Health, answers, health
from web.services.prompts.versions import load_current
from web.services.studies.previews import made_at_once
from web.settings import Settings
from web.settings.address import THIS_MACHINE

State = Literal["ok", "warn", "fail"]
OLDEST_PYTHON = (3, 11)
LITTLE_DISK, NO_DISK = 2 * 10**9, 2 * 10**8
OVERDUE = timedelta(minutes=1)
PATIENCE_SECONDS = 5.0
# A grey PNG of 32 × 32 pixels, the smallest that is taken in.
SAMPLE = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAAAAABWESUoAAAAFklEQVR42mNoIAAYRhWMKhhVMFIVAABCAAAfN5c2AAAAAABJRU5ErkJggg=="
)


@dataclass(frozen=True)
class Check:
    """What was looked at, how it stands, and what to do where it is not well."""

    name: str
    state: State
    says: str


def arguments(_: ArgumentParser) -> None:
    """Declare the arguments of `doctor`: none."""


def run(arguments: Namespace, desk: Desk) -> int:
    """Look at everything; 1 where something fails."""
    worst = 0
    for check in examine(desk):
        say(arguments, f"{check.state:4}  {check.name}: {check.says}", **asdict(check))
        worst = max(worst, check.state == "fail")
    return worst


def examine(desk: Desk) -> Iterator[Check]:
    """Go through all checks; those that need what has just failed are left out."""
    yield python()
    try:
        given = desk.settings()
    except ServiceError as error:
        yield Check("settings", "fail", str(error).replace("\n", " "))
        return
    yield Check("settings", "ok", "they can be read.")
    yield prompt_files(given)
    yield text_model(given)
    serving = _answers(f"http://127.0.0.1:{given.port}/health/live") == {"status": "ok"}
    yield port(given, serving)
    yield address(given, serving)
    if given.ml_service_url is not None:
        yield ml_service(given.ml_service_url)
    disk = data_dir(given)
    yield disk
    if disk.state == "fail":
        return
    try:
        here = desk.parts()
    except ServiceError as error:
        yield Check("parts", "fail", str(error))
        return
    yield from images(here)
    found = database(given)
    yield found
    if found.state == "ok":
        yield changes(here)
        yield from rows(here, serving)


def python() -> Check:
    """Look at the version of Python."""
    wanted = ".".join(map(str, OLDEST_PYTHON))
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < OLDEST_PYTHON:
        return Check("python", "fail", f"this is {version}; install {wanted} or newer.")
    return Check("python", "ok", f"{version}.")


def data_dir(settings: Settings) -> Check:
    """Look whether DATA_DIR can be written, and how much room is left; the folder is made where it is missing."""
    folder = settings.data_dir
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"written")
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return Check(
            "data", "fail", f"DATA_DIR {folder} cannot be written ({error.strerror}); change its owner or name another."
        )
    state: State = "fail" if free < NO_DISK else "warn" if free < LITTLE_DISK else "ok"
    advice = "" if state == "ok" else "; free some room before photos come in"
    return Check("data", state, f"{folder} can be written, {free / 10**9:.1f} GB are free{advice}.")


def prompt_files(settings: Settings) -> Check:
    """Look whether the live prompt's file is whole."""
    try:
        current = load_current(Folder(settings.prompts_dir))
    except ServiceError as error:
        return Check("prompts", "fail", str(error))
    return Check(
        "prompts", "ok", f"{settings.prompts_dir}/versions/current.json is {current.version} and matches its hash."
    )


def text_model(settings: Settings) -> Check:
    """Say which text model rewrites prompts; it is not asked, as that costs."""
    choice = settings.text_model_choice
    if choice is None:
        return Check(
            "text model", "ok", "none is set, so the scripted rewriter works; set OPENAI_API_KEY for a real one."
        )
    price = f"${choice.price.tokens_in:g} and ${choice.price.tokens_out:g} per million tokens in and out"
    return Check("text model", "ok", f"{choice}, at {price} and at most ${settings.text_model_budget:g} a month.")


def port(settings: Settings, serving: bool) -> Check:
    """Look whether the server can listen, or already does."""
    if serving:
        return Check("port", "ok", f"a server answers on {settings.port}.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", settings.port))
        except OSError as error:
            what = f"{settings.port} cannot be used ({error.strerror}); set PORT to another one."
            return Check("port", "fail", what)
    return Check("port", "ok", f"{settings.port} is free.")


def address(settings: Settings, serving: bool) -> Check:
    """Look whether links will lead here: whether PUBLIC_URL is set, is safe, and reaches the server that answers."""
    place = settings.public_url
    if place is None:
        says = "PUBLIC_URL is not set, so links name whatever host a request names; set it before others reach this."
        return Check("address", "warn", says)
    if serving and _answers(f"{place}/health/live") != {"status": "ok"}:
        says = f"{place}/health/live does not answer as Palate; look at the proxy and the name, or change PUBLIC_URL."
        return Check("address", "warn", says)
    if place.startswith("http:") and not any(f"//{name}" in place for name in THIS_MACHINE):
        says = f"{place} is reached over http, so passwords can be read on the way; have a proxy speak https."
        return Check("address", "warn", says)
    return Check("address", "ok", f"{place} is what links begin with{', and it answers' if serving else ''}.")


def ml_service(url: str) -> Check:
    """Look whether the ML service answers and speaks our wire."""
    answer = _answers(f"{url}/ml/health")
    if answer is None:
        return Check(
            "ml service",
            "fail",
            f"{url} does not answer; start it with `python -m ml_service`, or unset ML_SERVICE_URL.",
        )
    if answer.get("wire") != WIRE_VERSION:
        return Check(
            "ml service", "fail", f"{url} does not speak wire {WIRE_VERSION}; run the same version on both sides."
        )
    return Check("ml service", "ok", f"{url} answers.")


def _answers(url: str) -> dict[str, object] | None:
    try:
        answer = httpx.get(url, timeout=PATIENCE_SECONDS).json()
    except (httpx.HTTPError, ValueError):
        return None
    return answer if isinstance(answer, dict) else None


def images(parts: Parts) -> Iterator[Check]:
    """Look whether images can be taken in, and whether each generator makes one."""
    try:
        clean = parts.cleaner.clean(SAMPLE)
    except ServiceError as error:
        yield Check("images", "fail", f"the image worker does not take a photo in: {error}")
        return
    yield Check("images", "ok", "the image worker starts and takes a photo in.")
    for name, generator in parts.generators.items():
        request = GenerateRequest(clean.body, clean.media_type, {}, generator.space().default(), 0)
        try:
            made = made_at_once(generator, request)
        except ServiceError as error:
            yield Check("generator", "fail", f"{name} makes nothing: {error}")
        else:
            yield Check("generator", "ok", f"{name} makes images ({made.media_type}).")


def database(settings: Settings) -> Check:
    """Look whether the database answers and has the newest schema."""
    file = settings.database_url.removeprefix("sqlite:///")
    if settings.database_url.startswith("sqlite:") and not Path(file).exists():
        return Check("database", "warn", f"there is none at {file} yet; `make run` or `python -m web serve` makes it.")
    try:
        current = is_current(settings.database_url)
    except ServiceError as error:
        return Check("database", "fail", f"{error} Is DATABASE_URL right, and is its server running?")
    if not current:
        return Check("database", "fail", "its schema is not the newest; run `python -m web migrate`.")
    return Check("database", "ok", "it answers and has the newest schema.")


def changes(parts: Parts) -> Check:
    """Look whether the database takes changes: where it does not, ratings wait in browsers and workers stand still."""
    try:
        answers(parts)
    except ServiceError as error:
        return Check("changes", "fail", f"{error} Until then ratings wait in the browsers, and workers stand still.")
    return Check("changes", "ok", "the database takes changes.")


def clock(parts: Parts, found: Health) -> Check:
    """Look whether the clock tells what it told before, and what this machine's tells."""
    now = parts.clock.now()
    off = now - datetime.now(UTC)
    if abs(off) > JUMP:
        told = f"the database's is {abs(off)} {'ahead of' if off > timedelta(0) else 'behind'} this machine's"
        return Check("clock", "warn", f"{told}, and counts; set both by one time server.")
    waiting = sum(is_ahead(job.dated, now) for job in found.jobs if job.state == "waiting")
    if waiting:
        advice = "`python -m web work` dates them anew"
        return Check("clock", "warn", f"it went back since {waiting} jobs were dated; {advice}.")
    if found.latest is not None and is_ahead(found.latest, now):
        when = f"the newest event of the audit is of {found.latest:%d %B %Y %H:%M} UTC, which is still to come"
        return Check("clock", "warn", f"{when}: it was ahead then, or is behind now; set it by a time server.")
    return Check("clock", "ok", "it tells what the database's tells, and nothing is dated ahead.")


def rows(parts: Parts, serving: bool) -> Iterator[Check]:
    """Look at what the database holds: a live prompt version, and jobs that are done in time."""
    found = health(parts)
    if found.live is None:
        advice = "`python -m web serve` adopts the shipped one"
        yield Check("live prompt", "fail", f"{DEFAULT_KEY} has no live version; {advice}.")
    else:
        yield Check("live prompt", "ok", f"{DEFAULT_KEY} is at {found.live.name}.")
    yield clock(parts, found)
    yield worker(found.jobs, parts.clock.now(), serving)
    if found.parked:
        why = f"{len(found.parked)} failed too often and are parked; retry them on /admin/jobs. The last one says: "
        yield Check("jobs", "warn", why + (found.parked[0].error or "")[:200])
    else:
        yield Check("jobs", "ok", "none is parked.")


def worker(jobs: Iterable[Job], now: datetime, serving: bool) -> Check:
    """Look whether jobs that are due get done; where a server runs and they do not, that is a failure."""
    late = sum((job.due_at if job.state == "waiting" else job.claimed_until or now) < now - OVERDUE for job in jobs)
    if not late:
        return Check("worker", "ok", "no job has waited for more than a minute.")
    state: State = "fail" if serving else "warn"
    return Check("worker", state, f"{late} jobs have waited for more than a minute; `python -m web work` does them.")
