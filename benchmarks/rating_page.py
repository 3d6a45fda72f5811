"""How long a rater waits: from the key press until the next photo is painted, in Chromium, at 0, 100 and 300 ms RTT.

The real server with its worker stands behind a proxy that adds the round trip. The clock starts at the key event's own
time stamp and stops in the second animation frame after the next photo (2,048 pixels wide) was put in. Keys come once a
second, or as soon as the page lets the next one through. Then one rater gives a rating a second for 500 photos: nothing
may stall, memory must stay flat. Bars: p95 below 100 ms at each round trip; no wait of a second; memory, of the script
after a collection and of all processes that draw, no more than a fifth higher at the end than after the first fifth,
which a session of under 200 photos does not show; page below 60 kB gzipped.
"""

import argparse
import gzip
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import cv2
import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Browser, BrowserContext, Page, Response

from benchmarks.chaos import Chaos
from benchmarks.rate_world import option_of
from ml_service.wire.contract import Point
from tests.journeys.browser import chromium
from tests.journeys.rater import Rater
from tests.journeys.server import Server, serving, until
from web.adapters.demo.inputs import sample_photos
from web.adapters.generators.local import SPACE, encode
from web.domain.ids import new_id
from web.domain.studies.assigning import EVERYONE
from web.domain.studies.experiment import Experiment, Output
from web.domain.studies.study import Input, Study
from web.ports.making import CleanImage
from web.services.prompts import pointers
from web.services.studies import intake
from web.services.studies.studies import StudyDraft, make_study, move_study

ROUND_TRIPS = (0, 100, 300)  # milliseconds
SUSTAINED_AT = 100  # the round trip of the long session
BAR = 100.0  # milliseconds
STALL = 1000.0  # milliseconds
LOOKS = 10  # at memory, evenly over the long session, and one at its end
SETTLED = 200  # photos: in fewer, the browser's own stores of pictures still fill
FLAT, FIRST_FIFTH = 1.2, LOOKS // 5  # times what was in use at that look
WEIGHT = 60_000  # bytes, gzipped
SIDE = 2048
POINTS: tuple[Point, ...] = tuple({**SPACE.default(), "exposure": stops} for stops in (-0.6, -0.2, 0.2, 0.6))
BOOTSTRAPS = 2000
LISTEN = """window.presses = [];
window.painted = [];
addEventListener("keydown", (event) => { window.presses.push(event.timeStamp); }, true);
new PerformanceObserver((list) => {
  for (const mark of list.getEntriesByName("palate:painted")) window.painted.push(mark.startTime);
}).observe({ type: "mark" });
"""
MEASURED = "() => [window.presses, window.painted]"

DRAWING = ("renderer", "GPU")  # the latter rasters, also without such a device

Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Pace:
    """How often a rater presses: at least so many seconds between two keys."""

    name: str
    seconds: float
    presses: int

    @property
    def is_long(self) -> bool:
        """Tell whether memory is watched too."""
        return self.name == "sustained"


@dataclass(frozen=True)
class Memory:
    """What a page holds, in MiB: its script after a collection, and all processes that render pages or raster them."""

    script: float
    processes: float

    @classmethod
    def of(cls, page: Page, browser: Browser) -> "Memory":
        """Measure a page."""
        session = page.context.new_cdp_session(page)
        session.send("HeapProfiler.collectGarbage")
        used = session.send("Runtime.getHeapUsage")["usedSize"]
        session.detach()
        whole = browser.new_browser_cdp_session()
        found = whole.send("SystemInfo.getProcessInfo")["processInfo"]
        whole.detach()
        return cls(used / 2**20, sum(_resident(each["id"]) for each in found if each["type"] in DRAWING))


def _resident(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text()
    return next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS")), 0.0)


@dataclass(frozen=True)
class Result:
    """The waits of one rater, in milliseconds."""

    round_trip: int
    pace: str
    waits: NDArray[np.float64]
    memory: tuple[Memory, ...]

    def quantile(self, part: float) -> tuple[float, float]:
        """Return a quantile and its bootstrapped standard error."""
        drawn = np.random.default_rng(0).choice(self.waits, (BOOTSTRAPS, len(self.waits)))
        return float(np.quantile(self.waits, part)), float(np.quantile(drawn, part, axis=1).std())


def seed(server: Server, experiments: int, side: int = SIDE) -> Study:
    """Make a study with so many experiments ready, their photos as large as options are made, or smaller."""
    parts = server.parts
    study = make_study(parts, server.operator, StudyDraft("Benchmark", {"local": SPACE}), raters=(EVERYONE,))
    photos = [_sized(photo, side) for photo in sample_photos().values()]
    sources = [_source(server, study, photo) for photo in photos]
    outputs = [[_output(server, photo, point) for point in POINTS] for photo in photos]
    with server.store.begin() as tx:
        tx.inputs.add_all(sources)
        tx.outputs.add_all([output for made in outputs for output in made])
        version = pointers.live_version(tx, study.prompt_key).id
        for number in range(experiments):
            which, now = number % len(photos), parts.clock.now()
            experiment = Experiment(new_id(), study.id, sources[which].id, "explore", "ready", now, now)
            tx.experiments.add(experiment)
            for place in (0, 1):
                treatment = (number + place) % len(POINTS)
                output = outputs[which][treatment].id
                tx.options.add(option_of(experiment, place, version, output, POINTS[treatment]))
    return study


def _sized(photo: Image, side: int) -> Image:
    scale = side / max(photo.shape[:2])
    return np.asarray(cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC), np.uint8)


def _source(server: Server, study: Study, photo: Image) -> Input:
    height, width = photo.shape[:2]
    image = CleanImage(encode(photo), "image/jpeg", width, height)
    return intake.store_image(server.parts, study, "photo", image)


def _output(server: Server, photo: Image, point: Point) -> Output:
    brighter = cv2.convertScaleAbs(photo, alpha=2 ** float(point["exposure"]))
    body, name = encode(np.asarray(brighter, np.uint8)), new_id()
    server.parts.objects.create(f"outputs/{name}", body)
    height, width = photo.shape[:2]
    now = server.parts.clock.now()
    return Output(new_id(), name, f"outputs/{name}", "image/jpeg", width, height, len(body), now)


def measure(server: Server, browser: Browser, study: Study, round_trip: int, pace: Pace) -> Result:
    """Let a new rater press keys at a pace and return how long each waited for the next photo."""
    with Chaos(server.port, round_trip / 1000) as network:
        context = _signed_in(server, browser, study, network.port, f"{pace.name} {round_trip}")
        rater = Rater(context.pages[0], "", study.id)
        rater.page.add_init_script(LISTEN)
        rater.open()
        pressed, memory = 0.0, list[Memory]()
        for number in range(pace.presses):
            rater.await_photo()
            if pace.is_long and number % max(1, pace.presses // LOOKS) == 0:
                memory.append(Memory.of(rater.page, browser))
            time.sleep(max(0.0, pressed + pace.seconds - time.monotonic()))
            pressed = time.monotonic()
            rater.page.keyboard.press(str(number % 5 + 1))
        rater.await_photo()
        rater.settled()
        memory.append(Memory.of(rater.page, browser))
        presses, painted = rater.page.evaluate(MEASURED)
        context.close()
    if len(presses) != pace.presses or len(painted) != pace.presses + 1:
        raise RuntimeError(f"{pace.presses} keys were pressed; the page saw {len(presses)}, painted {len(painted)}.")
    return Result(round_trip, pace.name, np.subtract(painted[1:], presses), tuple(memory))


def _signed_in(server: Server, browser: Browser, study: Study, port: int, name: str) -> BrowserContext:
    address, email = f"http://localhost:{port}", f"{name.replace(' ', '-')}@example.org"
    context = browser.new_context(base_url=address)
    page = context.new_page()
    page.goto(server.link(email).replace(server.url, address))
    page.get_by_role("button", name="Join and sign in").click()
    page.wait_for_url("**/train")
    server.settle_in(email, study.id)
    return context


def weigh(server: Server, browser: Browser, study: Study) -> tuple[int, str]:
    """Return what a first visit to the rating page loads besides images, in bytes and in words, with who is asked."""
    context = _signed_in(server, browser, study, server.port, "weigher")
    page, answers = context.new_page(), list[Response]()
    page.on("response", lambda answer: answers.append(answer))
    page.goto("/train")
    page.wait_for_selector("main.train[data-gate=open]")
    files = {answer.url: answer for answer in answers if urlsplit(answer.url).path.startswith(("/train", "/static/"))}
    gzipped = sum(len(gzip.compress(answer.body())) for answer in files.values() if answer.ok)
    foreign = [answer.url for answer in answers if not answer.url.startswith((server.url, "blob:"))]
    context.close()
    said = f"page without images: {gzipped / 1000:.1f} kB gzipped in {len(files)} files"
    return gzipped, f"{said}; requests to third parties: {len(foreign)}"


def run(plan: list[tuple[int, Pace]]) -> tuple[list[Result], int, str]:
    """Measure each pace at its round trip with a fresh rater, and weigh the page."""
    needed = sum(pace.presses // 2 + 10 for _, pace in plan)
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as server, chromium() as browser:
        _end_demo(server)
        study = seed(server, needed + 10)
        until("the worker's first jobs to be done", lambda: not _busy(server))
        weight, said = weigh(server, browser, study)
        return [measure(server, browser, study, round_trip, pace) for round_trip, pace in plan], weight, said


def _end_demo(server: Server) -> None:
    with server.store.read() as tx:
        demo = tx.studies.all(demo=True)
    for study in demo:
        move_study(server.parts, server.operator, study.id, "archived")


def _busy(server: Server) -> bool:
    with server.store.read() as tx:
        return tx.of_jobs.any_due(server.parts.clock.now(), {})


def missed(results: list[Result], weight: int) -> list[str]:
    """Say which bars are missed."""
    faults = []
    for result in results:
        where = f"{result.pace} at {result.round_trip} ms"
        if (high := result.quantile(0.95)[0]) >= BAR:
            faults.append(f"p95 of {high:.0f} ms, {where}")
        if len(result.memory) > 1 and result.waits.max() >= STALL:
            faults.append(f"a wait of {result.waits.max():.0f} ms, {where}")
        if result.memory and result.waits.size >= SETTLED:
            end, early = result.memory[-1], result.memory[FIRST_FIFTH]
            if end.script > FLAT * early.script:
                faults.append(f"script memory grows to {end.script:.1f} MiB, {where}")
            if end.processes > FLAT * early.processes:
                faults.append(f"memory of drawing processes grows to {end.processes:.0f} MiB, {where}")
    return faults + ([f"page of {weight} bytes"] if weight >= WEIGHT else [])


def report(results: list[Result]) -> None:
    """Print the waits with standard errors, and what the long session held."""
    print("added round trip   keys         presses    p50 ms          p95 ms          longest ms")
    for result in results:
        (middle, middle_error), (high, high_error) = result.quantile(0.5), result.quantile(0.95)
        print(
            f"{result.round_trip:13} ms   {result.pace:10}   {len(result.waits):7}   "
            f"{middle:6.1f} ± {middle_error:4.1f}   {high:6.1f} ± {high_error:4.1f}   {result.waits.max():8.1f}"
        )
    for result in results:
        if len(result.memory) > 1:
            held = ", ".join(f"{each.script:.1f} / {each.processes:.0f}" for each in result.memory)
            print(f"MiB of script / of drawing processes at each tenth of {len(result.waits)}: {held}")


def main() -> int:
    """Print what was measured; with --check, exit 1 where a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="end within 60 s: fewer keys")
    parser.add_argument("--check", action="store_true", help="exit 1 where a bar is missed")
    parser.add_argument("--long", type=int, default=500, metavar="COUNT", help="photos of the long session; 0 for none")
    parser.add_argument("--only-long", action="store_true", help="the long session alone")
    arguments = parser.parse_args()
    slow, fast, long = Pace("1 a second", 1.0, 40), Pace("at once", 0.0, 120), Pace("sustained", 1.0, arguments.long)
    if arguments.quick:
        slow, fast, long = (replace(each, presses=few) for each, few in ((slow, 4), (fast, 12), (long, 12)))
    short = [] if arguments.only_long else [(trip, pace) for trip in ROUND_TRIPS for pace in (slow, fast)]
    plan = short + ([(SUSTAINED_AT, long)] if arguments.long else [])
    results, weight, said = run(plan)
    report(results)
    print(said)
    faults = missed(results, weight)
    print("\n".join(f"Missed: {fault}." for fault in faults) or "All bars are held.")
    return 1 if arguments.check and faults else 0


if __name__ == "__main__":
    sys.exit(main())
