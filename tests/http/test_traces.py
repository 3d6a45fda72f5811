"""Every route that changes something leaves an event that says who did it, or says why there is none."""

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import pytest
from httpx2 import Response
from sqlalchemy import update

from tests.grounds import Grounds, Person, routes
from tests.http.test_prompts_api import learn
from tests.visitors import another_project
from tests.world import photo
from web.adapters.database.tables import jobs, passwords
from web.domain.abtests.abtest import Decision
from web.domain.access import Actor
from web.domain.accounts import Membership
from web.domain.audit.audit import Event, faults
from web.domain.audit.trail import WORDS
from web.domain.ids import new_id
from web.domain.prompts.prompt import DEFAULT_KEY
from web.domain.rating.enrolment import Enrolment
from web.domain.rating.rating import Exclusion
from web.domain.studies.assigning import EVERYONE
from web.domain.studies.guide import Guide
from web.rows.transaction import Transaction
from web.services.abtests import abtests
from web.services.accounts import members
from web.services.studies import panels
from web.services.studies.studies import StudyDraft, make_study

# Their rows are a record in themselves: under their sender's id, with a fingerprint, and kept for good.
RECORDS = {
    "POST /api/train/rate",
    "DELETE /api/train/rate/{rating_id}",
    "POST /api/v1/feedback",
    "POST /status/message-read",
}
# What somebody is about to send, or keeps for themselves: each photo that comes of it leaves an event of its own.
NOTES = {
    "POST /api/v1/studies/{study_id}/batches",
    "POST /api/v1/batches/{batch_id}/files",
    "POST /api/v1/batches/{batch_id}/manifest",
    "DELETE /api/v1/batches/{batch_id}",
    "POST /admin/studies/{study_id}/photos/batches/{batch_id}/close",
    "POST /admin/studies/{study_id}/photos/filters/{filter_id}/delete",
}
# Which of their studies somebody rates is theirs to choose, and no act on any row of the project's.
CHOICES = {"POST /train/study", "POST /api/train/studies"}
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

    def to_another_project(self) -> Response:
        person, project_id = self.browser(), another_project(self.grounds.site)
        assert person.actor is not None
        user_id, now = person.actor.user_id, self.world.clock.now()
        with self.world.parts.store.begin() as tx:
            tx.memberships.add(Membership(new_id(), project_id, user_id, "rater", now))
            for session in tx.sessions.all(user_id=user_id):
                tx.sessions.replace(replace(session, via="password"))
        return self.send(person, "POST", "/account/project", data={"project": project_id})

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
        members.deactivate(self.world.parts, self.world.admin, user_id)
        return user_id

    def signed_in_twice(self) -> str:
        actor = self.grounds.member(self.grounds.admin.project_id, "rater")
        self.grounds._session(actor, new_id())
        return actor.user_id

    def key(self) -> str:
        return self.grounds._key("key", self.grounds.admin.project_id, "prompts:read", new_id())

    def study(self) -> str:
        draft = StudyDraft("Another", self.world.study.spaces)
        return make_study(self.world.parts, self.world.admin, draft, raters=(EVERYONE,)).id

    def panel(self) -> str:
        return panels.make_panel(self.world.parts, self.world.admin, new_id()).id

    def manned(self) -> tuple[str, str]:
        """Return a panel and its one member."""
        panel_id, user_id = self.panel(), self.member()
        panels.join_panel(self.world.parts, self.world.admin, panel_id, user_id)
        return panel_id, user_id

    def taken_out(self, base: str) -> Response:
        """Take a member out of a panel, by a form or over the API."""
        panel_id, user_id = self.manned()
        if base == "/admin":
            return self.admin("POST", f"/admin/panels/{panel_id}/members/remove", data={"person": user_id})
        return self.admin("DELETE", f"/api/v1/panels/{panel_id}/members/{user_id}")

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

    def opened(self) -> str:
        return self.grounds.ab_test().id

    def paused_test(self) -> str:
        test_id = self.opened()
        abtests.move_test(self.world.parts, self.world.admin, test_id, "pause")
        return test_id

    def won(self) -> str:
        """Return an A/B test whose challenger won, and waits for an admin."""
        test = self.grounds.ab_test(policy="manual")
        with self.world.parts.store.begin() as tx:
            decision = Decision("promote", test.challengers[0], ())
            return tx.ab_tests.replace(test.decided(decision, self.world.clock.now())).id

    def evolve_by_form(self) -> Response:
        """Ask for a round while no other one and no A/B test is open."""
        abtests.move_test(self.world.parts, self.world.admin, self.opened(), "stop")
        with self.world.parts.store.begin() as tx:
            for one in tx.rounds.all(prompt_key=DEFAULT_KEY):
                tx.rounds.replace(replace(one, state="failed"))
        return self.admin("POST", f"/admin/evolution/{self.world.study.id}/evolve", data={"id": new_id()})

    def settle_evolving(self) -> Response:
        with self.world.parts.store.read() as tx:
            revision = tx.studies.get(self.world.study.id).revision
        sent = {"revision": str(revision), "every": "7"}
        return self.admin("POST", f"/admin/evolution/{self.world.study.id}/settings", data=sent)

    def asked(self, kind: str) -> Response:
        """Open an A/B test by a form or by JSON."""
        test_id = self.opened()
        abtests.move_test(self.world.parts, self.world.admin, test_id, "stop")
        version = self.grounds.candidate().id
        if kind == "json":
            sent = {"study_id": self.world.study.id, "challengers": [version]}
            return self.admin("POST", "/api/v1/abtests", json=sent)
        return self.admin("POST", "/admin/abtests/new", data={"study": self.world.study.id, "challenger": version})

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

    def rater(self, does: Callable[[Transaction, Actor], object] = lambda tx, rater: None) -> str:
        """Return a new rater of whom the database says something."""
        actor = self.grounds.member(self.grounds.admin.project_id, "rater")
        with self.world.parts.store.begin() as tx:
            does(tx, actor)
        return actor.user_id

    def place(self, **more: Any) -> str:
        """Return a new rater with a place in the study."""
        now, study_id = self.world.clock.now(), self.world.study.id
        return self.rater(lambda tx, who: tx.enrolments.add(Enrolment(new_id(), study_id, who.user_id, now, **more)))

    def excluded(self) -> tuple[str, str]:
        """Return a new rater whose ratings do not count, and the exclusion."""
        now, study_id, exclusion_id = self.world.clock.now(), self.world.study.id, new_id()
        rater_id = self.rater(
            lambda tx, who: tx.exclusions.add(Exclusion(exclusion_id, study_id, who.user_id, now, "why", now))
        )
        return rater_id, exclusion_id

    def evolve(self) -> Response:
        """Ask for a round of evolution while no A/B test is open."""
        with self.world.parts.store.read() as tx:
            running = tx.ab_tests.all(prompt_key=DEFAULT_KEY, kind="challenge", state=("running", "paused"))
        for test in running:
            abtests.move_test(self.world.parts, self.world.admin, test.id, "stop")
        return self.admin("POST", "/api/train/evolve", json={"study": self.world.study.id})

    def paused_or_appealed(self) -> str:
        """Return a new rater who is paused and has appealed against it."""
        now = self.world.clock.now()
        return self.place(paused_at=now, pause_reason="before", appeal="No.", appealed_at=now)

    def to_rater(self, base: str, deed: str, rater_id: str = "", **more: object) -> Response:
        """Do something to a new rater of the study, by a form or by JSON."""
        at = f"{base}/studies/{self.world.study.id}/raters/{rater_id or self.paused_or_appealed()}/{deed}"
        return self.admin("POST", at, **more)

    def lift(self) -> Response:
        rater_id, exclusion_id = self.excluded()
        return self.to_rater("/admin", "lift", rater_id, data={"exclusion_id": exclusion_id})

    def consent(self) -> Response:
        """Ask for consent, and give it."""
        study_id, told = self.study(), Guide(consent="You are paid.")
        with self.world.parts.store.begin() as tx:
            tx.studies.replace(replace(tx.studies.get(study_id), guide=told))
        given = {"study": study_id, "consent": told.consent_hash}
        return self.as_somebody("POST", "/api/train/enrolment", json=given)

    def output(self) -> str:
        with self.world.parts.store.read() as tx:
            return next(one.output_id for one in tx.options.all(study_id=self.world.study.id) if one.output_id)

    def guide(self) -> dict[str, object]:
        with self.world.parts.store.read() as tx:
            return {"revision": tx.studies.get(self.world.study.id).revision, **asdict(Guide(words="Look well."))}

    def guide_by_form(self) -> Response:
        study_id = self.study()
        told = {"revision": "0", "words": "Look.", "tags": "Dark", **{f"anchor.{n}": "So." for n in range(1, 6)}}
        return self.admin("POST", f"/admin/studies/{study_id}/guide", data=told)

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
    "POST /account/project": lambda d: d.to_another_project(),
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
    "PUT /api/v1/studies/{study_id}/guide": lambda d: d.admin(
        "PUT", f"/api/v1/studies/{d.world.study.id}/guide", json=d.guide()
    ),
    "POST /admin/studies/{study_id}/guide": lambda d: d.guide_by_form(),
    "POST /admin/studies/{study_id}/guide/example": lambda d: d.admin(
        "POST", f"/admin/studies/{d.world.study.id}/guide/example", data={"score": "3", "output": d.output()}
    ),
    "POST /api/train/enrolment": lambda d: d.consent(),
    "POST /api/train/appeal": lambda d: d.as_somebody(
        "POST", "/api/train/appeal", json={"words": "No.", "study": d.world.study.id}
    ),
    "POST /status/appeal": lambda d: d.as_somebody(
        "POST", "/status/appeal", data={"words": "No.", "study": d.world.study.id}
    ),
    "POST /account/time-zone": lambda d: d.as_somebody("POST", "/account/time-zone", data={"zone": "Asia/Tokyo"}),
    "POST /api/v1/exclusions/{exclusion_id}/lift": lambda d: d.admin(
        "POST", f"/api/v1/exclusions/{d.excluded()[1]}/lift"
    ),
    "POST /admin/studies/{study_id}/raters/{user_id}/lift": lambda d: d.lift(),
    "POST /api/train/evolve": lambda d: d.evolve(),
    "POST /api/v1/prompts/{key}/versions": lambda d: d.admin(
        "POST",
        f"/api/v1/prompts/{DEFAULT_KEY}/versions",
        json={"changelog": "w", "parameter_defaults": {"local": {"gamma": 1.3}}},
    ),
    "POST /admin/prompts/{key}/write": lambda d: d.admin(
        "POST", f"{HOME}/write", data={"do": "keep", "changelog": "New.", "set.local.gamma": "1.4"}
    ),
    "POST /api/v1/jobs/{job_id}/retry": lambda d: d.admin("POST", f"/api/v1/jobs/{d.parked()}/retry"),
    "POST /admin/studies/new": lambda d: d.admin("POST", "/admin/studies/new", data=fields("New")),
    "POST /admin/studies/{study_id}": lambda d: d.admin("POST", f"/admin/studies/{d.study()}", data=fields("B")),
    "POST /admin/studies/{study_id}/clone": lambda d: d.admin(
        "POST", f"/admin/studies/{d.study()}/clone", data={"name": "C"}
    ),
    "POST /admin/studies/{study_id}/state": lambda d: d.admin(
        "POST", f"/admin/studies/{d.study()}/state", data={"state": "paused"}
    ),
    "POST /admin/studies/{study_id}/photos": lambda d: d.admin(
        "POST", f"/admin/studies/{d.world.study.id}/photos", data={"do": "take_down", "id": d.source()}
    ),
    "POST /api/v1/studies/{study_id}/photos/change": lambda d: d.admin(
        "POST",
        f"/api/v1/studies/{d.world.study.id}/photos/change",
        json={"action": "hold_out", "ids": [d.source()]},
    ),
    "PUT /api/v1/batches/items/{item_id}": lambda d: d.admin(
        "PUT", f"/api/v1/batches/items/{d.grounds.ids['item_id']}", files={"file": d.photo()}
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
    "PUT /api/v1/studies/{study_id}/assignments": lambda d: d.admin(
        "PUT", f"/api/v1/studies/{d.study()}/assignments", json={"kind": "everyone", "share": 2}
    ),
    "DELETE /api/v1/studies/{study_id}/assignments": lambda d: d.admin(
        "DELETE", f"/api/v1/studies/{d.study()}/assignments", params={"kind": "everyone"}
    ),
    "POST /admin/studies/{study_id}/raters": lambda d: d.admin(
        "POST", f"/admin/studies/{d.study()}/raters", data={"who": "everyone", "share": "3"}
    ),
    "POST /admin/studies/{study_id}/raters/remove": lambda d: d.admin(
        "POST", f"/admin/studies/{d.study()}/raters/remove", data={"who": "everyone"}
    ),
    "POST /api/v1/panels": lambda d: d.admin("POST", "/api/v1/panels", json={"name": new_id()}),
    "PATCH /api/v1/panels/{panel_id}": lambda d: d.admin(
        "PATCH", f"/api/v1/panels/{d.panel()}", json={"name": new_id(), "revision": 0}
    ),
    "DELETE /api/v1/panels/{panel_id}": lambda d: d.admin("DELETE", f"/api/v1/panels/{d.panel()}"),
    "PUT /api/v1/panels/{panel_id}/members/{user_id}": lambda d: d.admin(
        "PUT", f"/api/v1/panels/{d.panel()}/members/{d.member()}"
    ),
    "DELETE /api/v1/panels/{panel_id}/members/{user_id}": lambda d: d.taken_out("/api/v1"),
    "POST /admin/panels": lambda d: d.admin("POST", "/admin/panels", data={"name": new_id()}),
    "POST /admin/panels/{panel_id}": lambda d: d.admin(
        "POST", f"/admin/panels/{d.panel()}", data={"name": new_id(), "revision": "0"}
    ),
    "POST /admin/panels/{panel_id}/delete": lambda d: d.admin("POST", f"/admin/panels/{d.panel()}/delete"),
    "POST /admin/panels/{panel_id}/members": lambda d: d.admin(
        "POST", f"/admin/panels/{d.panel()}/members", data={"person": d.member()}
    ),
    "POST /admin/panels/{panel_id}/members/remove": lambda d: d.taken_out("/admin"),
    "POST /api/v1/abtests": lambda d: d.asked("json"),
    "POST /api/v1/abtests/{test_id}/pause": lambda d: d.admin("POST", f"/api/v1/abtests/{d.opened()}/pause"),
    "POST /api/v1/abtests/{test_id}/resume": lambda d: d.admin("POST", f"/api/v1/abtests/{d.paused_test()}/resume"),
    "POST /api/v1/abtests/{test_id}/stop": lambda d: d.admin("POST", f"/api/v1/abtests/{d.opened()}/stop"),
    "POST /api/v1/abtests/{test_id}/approve": lambda d: d.admin(
        "POST", f"/api/v1/abtests/{d.won()}/approve", json={"confirmation": DEFAULT_KEY}
    ),
    "POST /api/v1/abtests/{test_id}/decline": lambda d: d.admin("POST", f"/api/v1/abtests/{d.won()}/decline", json={}),
    "POST /admin/evolution/{study_id}/evolve": lambda d: d.evolve_by_form(),
    "POST /admin/evolution/{study_id}/settings": lambda d: d.settle_evolving(),
    "POST /admin/abtests/new": lambda d: d.asked("data"),
    "POST /admin/abtests/{test_id}/move": lambda d: d.admin(
        "POST", f"/admin/abtests/{d.opened()}/move", data={"action": "stop"}
    ),
    "POST /admin/abtests/{test_id}/approve": lambda d: d.admin(
        "POST", f"/admin/abtests/{d.won()}/approve", data={"confirmation": DEFAULT_KEY}
    ),
    "POST /admin/abtests/{test_id}/decline": lambda d: d.admin("POST", f"/admin/abtests/{d.won()}/decline"),
    "POST /admin/prompts/{key}/publish": lambda d: d.publish_by_form(),
    "POST /admin/prompts/{key}/promote": lambda d: d.admin(
        "POST", f"{HOME}/promote", data={"version": d.shelved(), "revision": str(d.revision())}
    ),
    "POST /admin/prompts/{key}/versions/{name}/withdraw": lambda d: d.admin(
        "POST", f"{HOME}/versions/{d.shelved()}/withdraw", data={}
    ),
}


def to_raters(base: str, kind: str, reason: str) -> dict[str, Callable[[Deeds], Response]]:
    """What admins do to raters, over the API or by forms."""
    sent: dict[str, dict[str, object]] = {
        "pause": {kind: {"words": "why"}},
        "message": {kind: {"words": "Thank you."}},
        "resume": {},
        "recalibrate": {},
        "answer": {kind: {"words": "Yes."}},
        "exclude": {kind: {reason: "why"}},
    }
    return {
        f"POST {base}/studies/{{study_id}}/raters/{{user_id}}/{deed}": (
            lambda d, deed=deed, more=more: d.to_rater(base, deed, **more)  # type: ignore[misc]
        )
        for deed, more in sent.items()
    }


DEEDS |= to_raters("/api/v1", "json", "reason") | to_raters("/admin", "data", "words")


def chain(grounds: Grounds) -> list[Event]:
    with grounds.world.parts.store.read() as tx:
        found = tx.events.all(project_id=grounds.admin.project_id)
    return sorted(found, key=lambda event: event.number)


def test_every_route_that_changes_something_leaves_an_event(grounds: Grounds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.api.rating.train.PATIENCE_SECONDS", 0.0)
    deeds, wrong = Deeds(grounds), {}
    changing = {route.name for route in routes(grounds.site.app) if route.changes}
    assert changing == {*DEEDS, *RECORDS, *NOTES, *CHOICES, *CHANGES_NOTHING}
    for name, deed in DEEDS.items():
        answer = deed(deeds)
        left = chain(grounds)[deeds.before :]
        if answer.status_code >= 400 or all(event.actor_id is None for event in left):
            wrong[name] = (answer.status_code, answer.text[:300] if answer.status_code >= 400 else "", len(left))
    assert wrong == {}
    events = chain(grounds)
    assert {event.action for event in events} <= set(WORDS)
    assert list(faults(events)) == []
