"""Every route that changes something leaves an event that says who did it, or says why there is none."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from httpx2 import Response
from sqlalchemy import update

from tests.grounds import Grounds, Person, routes
from tests.http.test_prompts_api import learn
from tests.world import photo
from web.adapters.tables import jobs, passwords
from web.domain.audit import Event, faults
from web.domain.ids import new_id
from web.domain.prompt import DEFAULT_KEY
from web.domain.trail import WORDS
from web.services import accounts
from web.services.studies import StudyDraft, make_study

# Their rows are a record in themselves: under their sender's id, with a fingerprint, and kept for good.
RECORDS = {
    "POST /api/train/rate",
    "DELETE /api/train/rate/{rating_id}",
    "POST /api/v1/feedback",
}
# It gives out a token and changes no row but the hour of the key's last use.
CHANGES_NOTHING = {"POST /token"}
GOOD = "correct horse battery staple"
HOME = f"/admin/prompts/{DEFAULT_KEY}"


class Deeds:
    """What is sent to each route so that it does what it is for; fresh people and rows wherever a deed uses one up."""

    def __init__(self, grounds: Grounds) -> None:
        self.grounds, self.world = grounds, grounds.world
        self.moves = 0
        self.before = 0

    def send(self, person: Person, method: str, path: str, **more: object) -> Response:
        """Send a request as a browser that remembers nothing, after noting how long the chain is."""
        self.grounds.client.cookies.clear()
        self.before = len(chain(self.grounds))
        return self.grounds.send(person, method, path, **more)

    def admin(self, method: str, path: str, **more: object) -> Response:
        return self.send(self.grounds.person("admin"), method, path, **more)

    def member(self) -> str:
        return self.grounds.member(self.grounds.admin.project_id, "rater").user_id

    def browser(self) -> Person:
        return self.grounds.signed_in("somebody", self.grounds.member(self.grounds.admin.project_id, "rater"))

    def as_somebody(self, method: str, path: str, **more: object) -> Response:
        return self.send(self.browser(), method, path, **more)

    def with_others(self, method: str, path: str, **more: object) -> Response:
        """Send something as somebody who has another session; its id may stand in the path."""
        person = self.browser()
        assert person.actor is not None
        other = self.grounds._session(person.actor, new_id())
        return self.send(person, method, path.format(session=other), **more)

    def as_nobody(self, method: str, path: str, **more: object) -> Response:
        return self.send(Person("nobody"), method, path, **more)

    def by_password(self, path: str, kind: str) -> Response:
        actor = self.grounds.member(self.grounds.admin.project_id, "rater")
        hashed = self.world.parts.passwords.hash(GOOD)
        with self.world.parts.store.begin() as tx:
            tx.connection.execute(  # type: ignore[attr-defined]
                passwords.insert().values(id=actor.user_id, hash=hashed, set_at=self.world.clock.now(), revision=0)
            )
        return self.as_nobody("POST", path, **{kind: {"email": actor.email, "password": GOOD}})

    def link(self) -> str:
        return self.grounds.site.link()

    def open_link(self) -> str:
        return self.grounds._link()

    def off(self) -> str:
        user_id = self.member()
        accounts.deactivate(self.world.parts.store, self.world.clock, self.world.admin, user_id)
        return user_id

    def signed_in_twice(self) -> str:
        actor = self.grounds.member(self.grounds.admin.project_id, "rater")
        self.grounds._session(actor, new_id())
        return actor.user_id

    def key(self) -> str:
        return self.grounds._key("key", self.grounds.admin.project_id, "prompts:read", new_id())

    def study(self) -> str:
        draft = StudyDraft("Another", self.world.study.spaces)
        return make_study(self.world.parts, self.world.admin, draft).id

    def paused(self) -> str:
        study_id = self.study()
        with self.world.parts.store.begin() as tx:
            tx.studies.replace(replace(tx.studies.get(study_id), state="paused"))
        return study_id

    def photo(self) -> tuple[str, bytes]:
        return "photo.jpg", photo(int(new_id()[-6:], 16))

    def source(self) -> str:
        return self.world.add_input(int(new_id()[-6:], 16)).id

    def parked(self) -> str:
        job_id = self.grounds.ids["job_id"]
        with self.world.parts.store.begin() as tx:
            tx.connection.execute(update(jobs).where(jobs.c.id == job_id).values(state="parked"))  # type: ignore[attr-defined]
        return job_id

    def revision(self) -> int:
        with self.world.parts.store.read() as tx:
            return tx.pointers.all(kind="environment")[0].revision

    def publish(self) -> Response:
        """Release another version and make it live."""
        self.moves += 1
        learn(self.grounds.site, 0.05 * self.moves)
        return self.admin("POST", "/api/v1/promotions/best", json={"study_id": self.world.study.id})

    def shelved(self) -> str:
        """Return the name of a released version that is not live."""
        first = self.publish().json()["version"]
        self.publish()
        return str(first)

    def publish_by_form(self) -> Response:
        self.moves += 1
        sent = {
            "study": self.world.study.id,
            "learnt": learn(self.grounds.site, 0.05 * self.moves),
            "version_id": new_id(),
            "revision": str(self.revision()),
        }
        return self.admin("POST", f"{HOME}/publish", data=sent)

    def erase(self, form: str, path: str) -> Response:
        """Erase a new person by a form or by JSON."""
        person = self.grounds.member(self.grounds.admin.project_id, "rater")
        sent = {form: {"confirm": person.email, "photos": False}}
        return self.admin("POST", path.format(user=person.user_id), **sent)

    def settings(self) -> dict[str, object]:
        space = self.world.study.spaces["local"].model_dump(mode="json")
        return {"name": "Other", "spaces": {"local": space}}


def fields(study_name: str, revision: int = 0) -> dict[str, str]:
    numbers = {"options_per_experiment": "2", "raters_wanted": "1", "daily_target": "100", "revision": str(revision)}
    space = {"use.exposure": "on", "low.exposure": "-1", "high.exposure": "1", "default.exposure": "0"}
    return {"name": study_name, "generator": "local", **numbers, **space}


NEW = {"role": "rater", "email": "new@example.org"}
SECRET = {"new": GOOD}
DEEDS: dict[str, Callable[[Deeds], Response]] = {
    "POST /api/enhance/train": lambda d: d.as_somebody("POST", "/api/enhance/train", files={"file": d.photo()}),
    "POST /api/v1/session": lambda d: d.by_password("/api/v1/session", "json"),
    "DELETE /api/v1/session": lambda d: d.as_somebody("DELETE", "/api/v1/session"),
    "DELETE /api/v1/sessions": lambda d: d.with_others("DELETE", "/api/v1/sessions"),
    "DELETE /api/v1/sessions/{session_id}": lambda d: d.with_others("DELETE", "/api/v1/sessions/{session}"),
    "POST /api/v1/password": lambda d: d.as_somebody("POST", "/api/v1/password", json=SECRET),
    "POST /api/v1/users/invites": lambda d: d.admin("POST", "/api/v1/users/invites", json=NEW),
    "DELETE /api/v1/users/links/{link_id}": lambda d: d.admin("DELETE", f"/api/v1/users/links/{d.open_link()}"),
    "POST /admin/people/links/{link_id}/void": lambda d: d.admin("POST", f"/admin/people/links/{d.open_link()}/void"),
    "POST /api/v1/users/{user_id}/links": lambda d: d.admin("POST", f"/api/v1/users/{d.member()}/links"),
    "DELETE /api/v1/users/{user_id}/sessions": lambda d: d.admin(
        "DELETE", f"/api/v1/users/{d.signed_in_twice()}/sessions"
    ),
    "PATCH /api/v1/users/{user_id}": lambda d: d.admin("PATCH", f"/api/v1/users/{d.member()}", json={"role": "admin"}),
    "POST /api/v1/keys": lambda d: d.admin("POST", "/api/v1/keys", json={"name": "CI", "scopes": ["prompts:read"]}),
    "DELETE /api/v1/keys/{key_id}": lambda d: d.admin("DELETE", f"/api/v1/keys/{d.key()}"),
    "POST /sign-in": lambda d: d.by_password("/sign-in", "data"),
    "POST /link/{secret}": lambda d: d.as_nobody("POST", f"/link/{d.link()}"),
    "POST /sign-out": lambda d: d.as_somebody("POST", "/sign-out"),
    "POST /account/password": lambda d: d.as_somebody("POST", "/account/password", data={"password": GOOD}),
    "POST /account/sessions/end-others": lambda d: d.with_others("POST", "/account/sessions/end-others"),
    "POST /account/sessions/{session_id}/end": lambda d: d.with_others("POST", "/account/sessions/{session}/end"),
    "POST /admin/people/invite": lambda d: d.admin("POST", "/admin/people/invite", data=NEW),
    "POST /admin/people/{user_id}/link": lambda d: d.admin("POST", f"/admin/people/{d.member()}/link"),
    "POST /admin/people/{user_id}/sign-out": lambda d: d.admin("POST", f"/admin/people/{d.signed_in_twice()}/sign-out"),
    "POST /admin/people/{user_id}/role": lambda d: d.admin(
        "POST", f"/admin/people/{d.member()}/role", data={"role": "admin"}
    ),
    "POST /admin/people/{user_id}/deactivate": lambda d: d.admin("POST", f"/admin/people/{d.member()}/deactivate"),
    "POST /admin/people/{user_id}/reactivate": lambda d: d.admin("POST", f"/admin/people/{d.off()}/reactivate"),
    "POST /admin/keys": lambda d: d.admin("POST", "/admin/keys", data={"name": "CI", "scopes": "prompts:read"}),
    "POST /admin/keys/{key_id}/revoke": lambda d: d.admin("POST", f"/admin/keys/{d.key()}/revoke"),
    "POST /api/v1/prompts/{key}/versions/{name}/withdraw": lambda d: d.admin(
        "POST", f"/api/v1/prompts/{DEFAULT_KEY}/versions/{d.shelved()}/withdraw", json={}
    ),
    "POST /api/v1/promotions": lambda d: d.admin(
        "POST", "/api/v1/promotions", json={"version": d.shelved(), "revision": d.revision()}
    ),
    "POST /api/v1/promotions/best": lambda d: d.publish(),
    "POST /api/v1/promotions/rollback": lambda d: d.admin(
        "POST", "/api/v1/promotions/rollback", json={"revision": d.revision()}
    ),
    "POST /api/v1/studies": lambda d: d.admin("POST", "/api/v1/studies", json=d.settings()),
    "PATCH /api/v1/studies/{study_id}": lambda d: d.admin(
        "PATCH", f"/api/v1/studies/{d.study()}", json={"revision": 0, "name": "B"}
    ),
    "POST /api/v1/studies/{study_id}/clone": lambda d: d.admin(
        "POST", f"/api/v1/studies/{d.study()}/clone", json={"name": "C"}
    ),
    "POST /api/v1/studies/{study_id}/pause": lambda d: d.admin("POST", f"/api/v1/studies/{d.study()}/pause"),
    "POST /api/v1/studies/{study_id}/resume": lambda d: d.admin("POST", f"/api/v1/studies/{d.paused()}/resume"),
    "POST /api/v1/studies/{study_id}/archive": lambda d: d.admin("POST", f"/api/v1/studies/{d.study()}/archive"),
    "POST /api/v1/studies/{study_id}/inputs": lambda d: d.admin(
        "POST", f"/api/v1/studies/{d.study()}/inputs", files={"file": d.photo()}
    ),
    "DELETE /api/v1/inputs/{input_id}": lambda d: d.admin("DELETE", f"/api/v1/inputs/{d.source()}"),
    "POST /api/v1/jobs/{job_id}/retry": lambda d: d.admin("POST", f"/api/v1/jobs/{d.parked()}/retry"),
    "POST /admin/studies/new": lambda d: d.admin("POST", "/admin/studies/new", data=fields("New")),
    "POST /admin/studies/{study_id}": lambda d: d.admin("POST", f"/admin/studies/{d.study()}", data=fields("B")),
    "POST /admin/studies/{study_id}/clone": lambda d: d.admin(
        "POST", f"/admin/studies/{d.study()}/clone", data={"name": "C"}
    ),
    "POST /admin/studies/{study_id}/state": lambda d: d.admin(
        "POST", f"/admin/studies/{d.study()}/state", data={"state": "paused"}
    ),
    "POST /admin/studies/{study_id}/inputs": lambda d: d.admin(
        "POST", f"/admin/studies/{d.study()}/inputs", files={"files": d.photo()}
    ),
    "POST /admin/studies/{study_id}/inputs/{input_id}/take-down": lambda d: d.admin(
        "POST", f"/admin/studies/{d.world.study.id}/inputs/{d.source()}/take-down"
    ),
    "POST /api/v1/users/{user_id}/erase": lambda d: d.erase("json", "/api/v1/users/{user}/erase"),
    "POST /admin/people/{user_id}/erase": lambda d: d.erase("data", "/admin/people/{user}/erase"),
    "POST /api/v1/inputs/{input_id}/erase": lambda d: d.admin(
        "POST", f"/api/v1/inputs/{d.source()}/erase", json={"confirm": "erase"}
    ),
    "POST /admin/studies/{study_id}/inputs/{input_id}/erase": lambda d: d.admin(
        "POST", f"/admin/studies/{d.world.study.id}/inputs/{d.source()}/erase", data={"confirm": "erase"}
    ),
    "POST /admin/jobs/{job_id}/retry": lambda d: d.admin("POST", f"/admin/jobs/{d.parked()}/retry"),
    "POST /admin/prompts/{key}/publish": lambda d: d.publish_by_form(),
    "POST /admin/prompts/{key}/promote": lambda d: d.admin(
        "POST", f"{HOME}/promote", data={"version": d.shelved(), "revision": str(d.revision())}
    ),
    "POST /admin/prompts/{key}/versions/{name}/withdraw": lambda d: d.admin(
        "POST", f"{HOME}/versions/{d.shelved()}/withdraw", data={}
    ),
}


def chain(grounds: Grounds) -> list[Event]:
    with grounds.world.parts.store.read() as tx:
        found = tx.events.all(project_id=grounds.admin.project_id)
    return sorted(found, key=lambda event: event.number)


def test_every_route_that_changes_something_leaves_an_event(grounds: Grounds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.api.train.PATIENCE_SECONDS", 0.0)
    deeds, wrong = Deeds(grounds), {}
    changing = {route.name for route in routes(grounds.site.app) if route.changes}
    assert changing == {*DEEDS, *RECORDS, *CHANGES_NOTHING}
    for name, deed in DEEDS.items():
        answer = deed(deeds)
        left = chain(grounds)[deeds.before :]
        if answer.status_code >= 400 or not left or left[-1].actor_id is None:
            wrong[name] = (answer.status_code, answer.text[:300] if answer.status_code >= 400 else "", len(left))
    assert wrong == {}
    events = chain(grounds)
    assert {event.action for event in events} <= set(WORDS)
    assert list(faults(events)) == []
