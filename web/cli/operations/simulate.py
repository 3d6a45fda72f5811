"""`simulate`: raters of known taste sign in over HTTP and rate as people would, for demos and end-to-end tests."""

import re
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

import httpx

from ml_service.errors import Conflict, InvalidRequest, NotFound, Unauthorized, Unavailable
from web.adapters.demo.raters import Judge, SimulatedRater, demo_hashes, demo_look, simulated_raters
from web.cli.command import Desk, nearby, real, say, whole
from web.cli.found import study_id_of, takes_study
from web.domain.ids import new_id
from web.ports.parts import Parts
from web.services.accounts import accounts
from web.services.learning import best
from web.services.studies.demo import holding

AHEAD = 2  # experiments that a rater holds at once
WAIT_SECONDS = 0.1
LONGEST_WAIT_SECONDS = 5.0
LEARNT_SECONDS = 15.0
MOST_SKIPS = 40  # in a row: then none of these photos can be judged
FIELD = re.compile(r'name="csrf_token" value="([^"]*)"')
COUNTED = ("stored", "late", "replayed")


@dataclass
class Tally:
    """What was done so far."""

    wanted: int
    study: str
    stars: list[int] = field(default_factory=list)
    skipped: int = 0
    refused: int = 0
    began: float = field(default_factory=time.monotonic)

    @property
    def missing(self) -> int:
        """Return how many ratings are still to be given."""
        return self.wanted - len(self.stars)

    def facts(self) -> dict[str, Any]:
        """Return the numbers: counts, seconds, ratings per second, and their mean in stars."""
        seconds = time.monotonic() - self.began
        return {
            "ratings": len(self.stars),
            "skipped": self.skipped,
            "refused": self.refused,
            "seconds": round(seconds, 2),
            "per_second": round(len(self.stars) / seconds, 2),
            "mean": round(sum(self.stars) / len(self.stars), 3) if self.stars else None,
        }


class Browser:
    """A session over HTTP that waits and tries again where the server is busy or away."""

    def __init__(self, client: httpx.Client, patience: float) -> None:
        self.client, self.patience = client, patience

    def sign_in(self, secret: str) -> None:
        """Open an invite link, join by its form, and learn the token that changes need."""
        page = self.send("GET", f"/link/{secret}", headers={"Accept": "text/html"})
        token = FIELD.search(page.text)
        self.send("POST", f"/link/{secret}", data={"csrf_token": token.group(1) if token else ""})
        self.client.headers["X-CSRF-Token"] = self.send("GET", "/api/v1/session").json()["csrf_token"]

    def send(self, method: str, path: str, **what: Any) -> httpx.Response:
        """Return the answer to a request, or raise an error that says what the server said against it."""
        until, pause = time.monotonic() + self.patience, WAIT_SECONDS
        while True:
            answer, trouble = self._try(method, path, what)
            if answer is not None:
                return answer
            if time.monotonic() + pause > until:
                raise Unavailable(f"{self.client.base_url} {trouble} for {self.patience:g} s; see the server's log.")
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_WAIT_SECONDS)

    def _try(self, method: str, path: str, what: dict[str, Any]) -> tuple[httpx.Response | None, str]:
        try:
            answer = self.client.request(method, path, **what)
        except httpx.TransportError as error:
            return None, f"did not answer ({type(error).__name__})"
        if answer.status_code == 429 or answer.status_code >= 500:
            return None, f"answered {answer.status_code}"
        if answer.status_code == 401:
            raise Unauthorized("The server ended a simulated rater's session; start again.")
        if answer.status_code >= 400:
            raise InvalidRequest(f"{method} {path} was refused with {answer.status_code}: {_detail(answer)}")
        return answer, ""


def _detail(answer: httpx.Response) -> str:
    is_json = answer.headers.get("content-type", "").endswith("json")
    return str(answer.json().get("detail", "")) if is_json else answer.text[:200]


@dataclass
class Seat:
    """A simulated rater in front of a browser."""

    rater: SimulatedRater
    browser: Browser
    judge: Judge
    sent: int = 0

    def turn(self, tally: Tally) -> bool:
        """Answer what this rater holds, at most as many as are missing; False where there is nothing now."""
        turn = self.browser.send("GET", "/api/train/next", params={"n": AHEAD, "study": tally.study}).json()
        if turn["state"] in ("paused", "finished"):
            raise Conflict(turn["message"])
        if turn["state"] != "ready":
            return False
        answers: list[dict[str, Any]] = []
        for experiment in turn["experiments"]:
            answers += self._answers(experiment, tally.missing - len(answers))
        self._post(answers, tally)
        return True

    def _answers(self, experiment: dict[str, Any], most: int) -> Iterator[dict[str, Any]]:
        source = self._image(experiment["source_url"])
        for option in experiment["options"][: max(most, 0)]:
            began = time.monotonic()
            picture = self._image(option["image_url"])
            look = self.judge(source, picture)
            said = {"skip": "cannot_judge"} if look is None else self.rater.says(look, picture)
            self.sent += 1
            seen = round(1000 * (time.monotonic() - began))
            yield {"id": new_id(), "option_id": option["option_id"], "client_seq": self.sent, "seen_ms": seen, **said}

    def _image(self, address: str) -> bytes:
        whole = self.browser.client.base_url.join(address)  # what a server gives is an address of its host
        return self.browser.send("GET", str(whole)).content

    def _post(self, answers: list[dict[str, Any]], tally: Tally) -> None:
        verdicts = self.browser.send("POST", "/api/train/rate", json={"answers": answers}).json()["verdicts"]
        for answer, verdict in zip(answers, verdicts, strict=True):
            if verdict["verdict"] not in COUNTED:
                tally.refused += 1
            elif "score" in answer:
                tally.stars.append(answer["score"])
            else:
                tally.skipped += 1


def arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of `simulate`."""
    parser.add_argument("url", nargs="?", metavar="URL", help="the server; default: the one of this machine, at PORT")
    parser.add_argument("--raters", type=whole(1), default=3, help="how many raters; default: 3")
    parser.add_argument("--ratings", type=whole(1), default=100, help="how many ratings in all; default: 100")
    parser.add_argument("--noise", type=real(0), default=0.5, help="standard deviation of a rating, stars")
    parser.add_argument("--bias", type=real(0), default=0.4, help="standard deviation of the raters' levels, stars")
    parser.add_argument("--seed", type=whole(0), default=0, help="draws the raters; the same seed, the same taste")
    parser.add_argument("--rate", type=real(0.001), help="at most so many ratings per second, all raters together")
    takes_study(parser, "the study to rate", default="the demo study")
    parser.add_argument("--patience", type=real(0), default=60.0, help="seconds to wait for photos or the server")


def run(arguments: Namespace, desk: Desk) -> int:
    """Rate the demo photos at a server as people would, and say what was learnt; 1 where ratings were refused."""
    return simulate(arguments, desk.parts(), arguments.url or nearby(desk.settings()), demo_look)


def simulate(arguments: Namespace, here: Parts, url: str, judge: Judge) -> int:
    """Rate at an address as raters with the eyes of `judge`, who knows the originals."""
    raters = simulated_raters(arguments.raters, arguments.bias, arguments.noise, arguments.seed)
    tally = Tally(arguments.ratings, _study(arguments, here))
    with ExitStack() as clients:
        browsers = [Browser(clients.enter_context(_client(url)), arguments.patience) for _ in raters]
        browsers[0].send("GET", "/health/live")  # before anybody is invited
        seats = [_seat(here, *pair, judge) for pair in zip(raters, browsers, strict=True)]
        _rate(seats, tally, arguments)
    facts = tally.facts() | _learnt(here, tally)
    say(arguments, _words(facts), **facts)
    return 1 if tally.refused else 0


def _study(arguments: Namespace, here: Parts) -> str:
    """Return the id of the study to rate; Conflict or NotFound where it cannot be rated by who knows the originals."""
    named = None if arguments.study is None else study_id_of(here, arguments.study)
    known = holding(here, accounts.operator(here), demo_hashes())
    found = [study for study in known if named in (None, study.id)]
    if not found:
        where = "in this study" if named else "here"
        advice = f"leave --study out to rate {known[0].name}" if known else "`serve` makes some in an empty place"
        raise NotFound(f"Simulated raters can judge only demo photos, and there are none {where}; {advice}.")
    study = next((study for study in found if study.state == "running"), found[0])
    if study.state != "running":
        raise Conflict(f"{study.name} is {study.state}; resume it first.")
    return study.id


def _client(address: str) -> httpx.Client:
    return httpx.Client(base_url=address, timeout=30.0, headers={"X-Tab": f"simulated {new_id()}"})


def _seat(parts: Parts, rater: SimulatedRater, browser: Browser, judge: Judge) -> Seat:
    operator = accounts.operator(parts)
    secret = accounts.invite(parts, operator, "rater", f"{rater.name}@example.org")
    browser.sign_in(secret)
    return Seat(rater, browser, judge)


def _rate(seats: Sequence[Seat], tally: Tally, arguments: Namespace) -> None:
    """Let the raters take turns until the ratings are given; whoever has nothing to rate is passed over."""
    idle_since = time.monotonic()
    for number, seat in enumerate(cycle(seats), start=1):
        if seat.turn(tally):
            idle_since = time.monotonic()
        elif time.monotonic() - idle_since > arguments.patience:
            raise Unavailable(
                f"Nothing came up to rate for {arguments.patience:g} s after {len(tally.stars)} ratings; "
                "is a worker running (`python -m web work`), and has the study inputs?"
            )
        elif number % len(seats) == 0:
            time.sleep(WAIT_SECONDS)
        if tally.skipped > MOST_SKIPS and not tally.stars:
            raise Conflict("None of these photos is a demo photo, whose originals are known; name another --study.")
        _show(tally)
        if tally.missing <= 0:
            return
        if arguments.rate:
            time.sleep(max(0.0, tally.began + len(tally.stars) / arguments.rate - time.monotonic()))


def _show(tally: Tally) -> None:
    if sys.stderr.isatty():
        facts = tally.facts()
        line = f"\rratings {facts['ratings']}/{tally.wanted}, {facts['per_second']}/s, mean {facts['mean'] or '–'} "
        print(line, end="" if tally.missing > 0 else "\n", file=sys.stderr, flush=True)


def _learnt(parts: Parts, tally: Tally) -> dict[str, Any]:
    """Return what the product recommends, once it has learnt from these ratings or has had time to."""
    until = time.monotonic() + LEARNT_SECONDS
    while time.monotonic() < until and not best.is_learnt(parts, tally.study):
        time.sleep(WAIT_SECONDS)
    found = best.settings(parts, tally.study)
    return {"study": tally.study, "point": found.point, "from": found.origin}


def _words(facts: dict[str, Any]) -> str:
    point = ", ".join(f"{k} {v:.3g}" if isinstance(v, float) else f"{k} {v}" for k, v in facts["point"].items())
    origin = facts["from"][:1].upper() + facts["from"][1:]
    return (
        f"{facts['ratings']} ratings in {facts['seconds']} s ({facts['per_second']}/s), mean {facts['mean']}; "
        f"{facts['skipped']} skipped, {facts['refused']} refused.\n{origin}: {point}."
    )
