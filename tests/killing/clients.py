"""Clients that do not give up: what is not answered is sent again, under the same ids, until it is."""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import httpx

from tests.killing.ledger import Ledger, Rated
from tests.killing.product import Product
from tests.world import photo
from web.domain.access import Role
from web.domain.ids import new_id
from web.domain.studies.study import Study

PATIENCE = 120.0
PAUSE = 0.15  # between what one client does, on average
AWAY = 0.3  # until what was not answered is sent again
SIDE = 48
numbers = count(1)
photos = count(1000)


@contextmanager
def signed_in(product: Product, role: Role) -> Iterator["Browser"]:
    """Sign somebody new in until the block is left."""
    with httpx.Client(timeout=30) as http:
        browser = Browser(product, http)
        email = f"killing{next(numbers)}@example.org"
        browser.send("POST", "/api/v1/session", json={"secret": product.secret(email, role)}).raise_for_status()
        me = browser.send("GET", "/api/v1/session").json()
        browser.user_id, http.headers["X-CSRF-Token"] = me["user_id"], me["csrf_token"]
        yield browser


class Browser:
    """Somebody at whichever server answers."""

    def __init__(self, product: Product, http: httpx.Client) -> None:
        self.product, self.http, self.ledger = product, http, Ledger()
        self.random, self.user_id = random.Random(next(numbers)), ""

    def send(self, method: str, path: str, fine: tuple[int, ...] = (), **what: Any) -> httpx.Response:
        """Return the first answer that says something; servers that are away or busy are asked again."""
        end = time.monotonic() + PATIENCE
        while (answer := self.once(method, path, fine, **what)) is None:
            assert time.monotonic() < end, f"{method} {path} was not answered in {PATIENCE:.0f} s."
            self.ledger.count("retried")
            time.sleep(AWAY)
        return answer

    def once(self, method: str, path: str, fine: tuple[int, ...] = (), **what: Any) -> httpx.Response | None:
        """Return the answer of a server, or None where it was killed, is not up yet, or says to come again.

        An error is a fault of the product, unless it is among those that are fine.
        """
        server = self.random.choice(self.product.webs)
        try:
            if method == "GET":
                answer = self.http.request(method, server.url + path, **what)
            else:
                with self.ledger.sending():
                    answer = self.http.request(method, server.url + path, **what)
        except httpx.TransportError:
            return None
        if answer.status_code == 503:
            self.ledger.count("busy")
            return None
        if answer.status_code >= 400 and answer.status_code not in fine:
            self.ledger.fault(f"{method} {path} was answered {answer.status_code}: {answer.text[:300]}")
        return answer


class Client:
    """Somebody who works on a study until told to stop."""

    def __init__(self, browser: Browser, study: Study, ledger: Ledger) -> None:
        self.browser, self.study, self.ledger = browser, study, ledger
        self.random = browser.random
        browser.ledger = ledger

    def work(self, stop: threading.Event) -> None:
        """Take one turn after the other."""
        while not stop.is_set():
            self.turn()
            stop.wait(self.random.uniform(0, 2 * PAUSE))

    def turn(self) -> None:
        """Do one thing."""
        raise NotImplementedError

    def chance(self, share: float) -> bool:
        """Toss a coin."""
        return self.random.random() < share


class Rater(Client):
    """Rates what is leased to them, changes their mind, and sends again what may not have arrived."""

    def __init__(self, browser: Browser, study: Study, ledger: Ledger) -> None:
        super().__init__(browser, study, ledger)
        self.sent: list[tuple[list[dict[str, Any]], set[str]]] = []  # batches, and the ids in them that were undone

    def turn(self) -> None:
        """Answer what is held, in one batch."""
        asked = {"n": "2", "study": self.study.id}
        turn = self.browser.send("GET", "/api/train/next", params=asked, headers={"X-Tab": "tab"}).json()
        options = [option for held in turn["experiments"] for option in held["options"]]
        if options:
            self.rate([option["option_id"] for option in options])
        elif self.sent:
            self._return_to(*self.random.choice(self.sent))

    def rate(self, option_ids: list[str]) -> None:
        """Send answers until they are acknowledged, and now and then once more, or take one back."""
        batch = [self._answer(option_id) for option_id in option_ids]
        gone = {batch[0]["id"]} if self.chance(0.1) else set()
        for rating_id in gone:
            self._undo(rating_id)
        self._send(batch, gone)
        self.sent.append((batch, gone))
        if self.chance(0.3):
            self._return_to(batch, gone)

    def _return_to(self, batch: list[dict[str, Any]], gone: set[str]) -> None:
        """Take an answer back, or send all of them once more."""
        if self.chance(0.5):
            late = self.random.choice(batch)["id"]
            self._undo(late)
            gone.add(late)
        else:
            self._expect(self._verdicts(batch), {answer["id"]: {"replayed"} for answer in batch}, gone)

    def _answer(self, option_id: str) -> dict[str, Any]:
        answer: dict[str, Any] = {"id": new_id(), "option_id": option_id}
        said = {"skip": "broken"} if self.chance(0.1) else {"score": self.random.randint(1, 5)}
        return answer | said

    def _send(self, batch: list[dict[str, Any]], gone: set[str]) -> None:
        tries, response = 1, self._post(batch)
        while response is None:
            if self.chance(0.2):  # the rater takes back what may have arrived or not
                doubtful = self.random.choice(batch)["id"]
                self._undo(doubtful)
                gone.add(doubtful)
            time.sleep(AWAY)
            self.ledger.count("retried")
            tries, response = tries + 1, self._post(batch)
        fresh = {"stored"} if tries == 1 else {"stored", "replayed"}
        verdicts = {verdict["id"]: verdict["verdict"] for verdict in response.json()["verdicts"]}
        self._expect(verdicts, {answer["id"]: fresh for answer in batch}, gone)
        for answer in batch:
            said = Rated(answer["option_id"], self.browser.user_id, answer.get("score"), answer.get("skip"))
            self.ledger.rated[answer["id"]] = said
        self.ledger.count("ratings", len(batch))
        self._expect_total(response.json()["progress"]["total"])

    def _post(self, batch: list[dict[str, Any]]) -> httpx.Response | None:
        return self.browser.once("POST", "/api/train/rate", json={"answers": batch})

    def _verdicts(self, batch: list[dict[str, Any]]) -> dict[str, str]:
        response = self.browser.send("POST", "/api/train/rate", json={"answers": batch})
        return {verdict["id"]: verdict["verdict"] for verdict in response.json()["verdicts"]}

    def _undo(self, rating_id: str) -> None:
        self.browser.send("DELETE", f"/api/train/rate/{rating_id}")
        self.ledger.undone.add(rating_id)
        self.ledger.count("undone")

    def _expect(self, verdicts: dict[str, str], wanted: dict[str, set[str]], gone: set[str]) -> None:
        for rating_id, fine in wanted.items():
            verdict = verdicts.get(rating_id)
            self.ledger.count("replayed", int(verdict == "replayed"))
            if verdict not in ({"undone"} if rating_id in gone else fine):
                self.ledger.fault(f"The rating {rating_id} was told {verdict}, not {fine} (undone: {gone}).")

    def _expect_total(self, told: int) -> None:
        mine = [key for key, said in self.ledger.rated.copy().items() if said.judge_id == self.browser.user_id]
        standing = sum(self.ledger.rated[key].score is not None and key not in self.ledger.undone for key in mine)
        if told != standing:
            self.ledger.fault(f"A rater who gave {standing} scores was told of {told}.")


class Uploader(Rater):
    """Brings photos and rates what is made of them."""

    def turn(self) -> None:
        """Upload a photo, wait for what is made of it, and rate some."""
        body = photo(next(photos), SIDE)
        made = self.browser.send(
            "POST",
            "/api/enhance/train",
            files={"file": ("a photo.jpg", body, "image/jpeg")},
            data={"study_id": self.study.id},
        ).json()
        self.ledger.uploads.append(made["experiment_id"])
        self.ledger.count("uploads")
        if made["state"] == "ready" and made["options"] and self.chance(0.5):
            self.rate([option["option_id"] for option in made["options"]])


class Collector(Client):
    """Adds inputs to the study, some of them twice, and takes some down."""

    def __init__(self, browser: Browser, study: Study, ledger: Ledger) -> None:
        super().__init__(browser, study, ledger)
        self.mine: list[tuple[str, bytes]] = []

    def turn(self) -> None:
        """Add a photo; now and then send one again, or take one down and perhaps bring it back."""
        self.add_one()
        if self.chance(0.3):
            self._again(*self.random.choice(self.mine))
        if self.chance(0.3):
            place = self.random.randrange(len(self.mine))
            input_id, body = self.mine.pop(place)
            self.browser.send("DELETE", f"/api/v1/inputs/{input_id}")
            del self.ledger.present[input_id]
            self.ledger.removed.add(input_id)
            self.ledger.count("taken down")
            if self.chance(0.5):
                self._add(body)

    def add_one(self) -> None:
        """Add a photo that nobody has sent yet."""
        self._add(photo(next(photos), SIDE))

    def _add(self, body: bytes) -> None:
        made = self._post(body)
        if made["id"] in self.ledger.present or made["id"] in self.ledger.removed:
            self.ledger.fault(f"A photo that is new was answered with the input {made['id']} of another.")
        self.mine.append((made["id"], body))
        self.ledger.present[made["id"]] = made["content_hash"]
        self.ledger.count("inputs")

    def _again(self, input_id: str, body: bytes) -> None:
        again = self._post(body)["id"]
        self.ledger.count("replayed")
        if again != input_id:
            self.ledger.fault(f"A photo that was there as {input_id} was stored again as {again}.")

    def _post(self, body: bytes) -> dict[str, Any]:
        path = f"/api/v1/studies/{self.study.id}/inputs"
        answer = self.browser.send("POST", path, files={"file": ("a photo.jpg", body, "image/jpeg")})
        return dict(answer.json())
