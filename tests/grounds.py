"""Two projects with somebody of each kind in both, and the id of a real row for every path parameter of the app."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response

from tests.clock import FixedClock
from tests.grown import Many, grow
from tests.site import KEY, Site
from tests.world import answer, make_world
from web.adapters.database.migrate import migrate
from web.adapters.database.store import SqlStore
from web.domain.abtests.abtest import ABTest
from web.domain.access import Actor, Role, Scope
from web.domain.accounts import ApiKey, Membership, Session, User
from web.domain.ids import new_id
from web.domain.jobs import make_job
from web.domain.prompts.prompt import DEFAULT_KEY, PromptVersion
from web.domain.studies.batch import Batch, Item
from web.domain.studies.photos import SavedFilter
from web.domain.studies.study import Project
from web.http.answers.images import ImageUrls
from web.http.edge.roles import Demand, demand_of, routes_of
from web.services.abtests import abtests
from web.services.abtests.abtests import Challenge
from web.services.accounts.keys import SCOPES
from web.services.accounts.sessions import SESSION_TIME, digest
from web.services.rating import quality
from web.services.studies import panels
from web.settings import Settings

MARK = "planted"  # is in every text of the first project, and in none of the other


@dataclass(frozen=True)
class Route:
    """One method of one route: what it is called, what it demands, and the names in its path."""

    method: str
    path: str
    demand: Demand | None

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def changes(self) -> bool:
        return self.method not in ("GET", "HEAD", "OPTIONS")


def routes(app: FastAPI) -> list[Route]:
    """Every route of an app."""
    return [
        Route(method, str(context.path_format), demand_of(context.dependant))
        for context in routes_of(app)
        for method in sorted(context.methods or ())
    ]


@dataclass
class Person:
    """Somebody who asks: nobody, a member, or a machine, of the first project or of the other."""

    name: str
    actor: Actor | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def may(self, demand: Demand | None) -> bool:
        """Tell whether a route's demand is met, ids aside."""
        if demand is None:
            return True
        return self.actor is not None and (self.actor.role in demand.roles or demand.scope in self.actor.scopes)


class Grounds:
    """The site with a second project, the people, and real ids of the first project by the names that paths use."""

    def __init__(self, site: Site) -> None:
        self.site, self.world = site, site.world
        self.client = TestClient(site.app, "http://palate.test", raise_server_exceptions=False, follow_redirects=False)
        self.admin = self.world.admin
        self.rater = self.member(self.admin.project_id, "rater")
        self.ids = self._ids()
        self.other = self._project()
        self.other_admin, self.other_rater = (self.member(self.other, role) for role in ("admin", "rater"))

    def person(self, name: str) -> Person:
        """Return somebody by their name, freshly signed in."""
        members = {
            "rater": self.rater,
            "admin": self.admin,
            "other rater": self.other_rater,
            "other admin": self.other_admin,
        }
        if name in members:
            return self.signed_in(name, members[name])
        if name == "nobody":
            return Person(name)
        scope = next(one for one in SCOPES if one in name)
        return self.machine(name, self.other if name.startswith("other") else self.admin.project_id, scope)

    def signed_in(self, name: str, actor: Actor) -> Person:
        """Return a member with a session of their own."""
        secret = new_id()
        self._session(actor, secret)
        person = Person(name, actor, {"Cookie": f"palate={secret}"})
        person.headers["X-CSRF-Token"] = self.send(person, "GET", "/api/v1/session").json()["csrf_token"]
        return person

    def machine(self, name: str, project_id: str, scope: Scope) -> Person:
        """Return a machine with a key of its own."""
        secret = f"palate_{new_id()}"
        actor = Actor(self._key(name, project_id, scope, secret), name, project_id, "service", scopes=(scope,))
        return Person(name, actor, {"Authorization": f"Bearer {secret}"})

    def member(self, project_id: str, role: Role) -> Actor:
        """Return a new member of a project."""
        now, word = self.world.clock.now(), MARK if project_id == self.admin.project_id else "other"
        user = User(new_id(), f"{word}-{new_id()}@example.org", now)
        with self.world.parts.store.begin() as tx:
            tx.users.add(user)
            tx.memberships.add(Membership(new_id(), project_id, user.id, role, now))
        return Actor(user.id, user.email, project_id, role)

    def send(self, person: Person, method: str, path: str, **more: Any) -> Response:
        """Send a request as somebody; headers given win."""
        headers = {**person.headers, **more.pop("headers", {})}
        return self.client.request(method, path, headers=headers, **more)

    def path(self, route: Route) -> str:
        """Return the address of a route with real ids in it."""
        try:
            return route.path.format_map(self.ids)
        except KeyError as missing:
            raise AssertionError(f"{route.name}: put the id of a real row for {missing} into Grounds") from missing

    def _ids(self) -> dict[str, str]:
        """Make a row of each kind that a path can name."""
        world, parts = self.world, self.world.parts
        turn = world.hold(self.rater)
        held, further = turn.held[0], turn.held[1]
        first = answer(held.options[0].option_id, comment=MARK)
        assert world.rate(self.rater, first) == ["stored"]
        with parts.store.begin() as tx:
            study = tx.studies.get(world.study.id)
            tx.studies.replace(replace(study, name=f"{MARK} study"))
            experiment = tx.experiments.get(further.lease.experiment_id)
            source = tx.inputs.get(experiment.input_id)
            tx.inputs.replace(replace(source, name=f"{MARK} photo"))
            output_id = tx.options.get(further.options[0].option_id).output_id
            option = further.options[0].option_id
            job = make_job(option, "local", experiment.study_id, parts.clock.now())
            tx.of_jobs.add_once([job])
            batch = tx.batches.add(Batch(new_id(), world.study.id, f"{MARK} folder", parts.clock.now()))
            item = tx.batch_items.add(Item(new_id(), batch.id, f"{MARK}.jpg", 1, "refused", said=MARK))
            wanted = {"q": MARK}
            kept = SavedFilter(new_id(), world.study.id, self.admin.user_id, MARK, wanted, parts.clock.now())
            tx.saved_filters.add(kept)
        return {
            "batch_id": batch.id,
            "item_id": item.id,
            "filter_id": kept.id,
            "study_id": world.study.id,
            "input_id": experiment.input_id,
            "output_id": str(output_id),
            "experiment_id": experiment.id,
            "rating_id": first.id,
            "job_id": job.id,
            "user_id": self.member(self.admin.project_id, "rater").user_id,
            "table": "ratings",
            "token": ImageUrls(KEY).url(further.lease.id, further.options[0].option_id).removeprefix("/i/"),
            "secret": self.site.link(),
            "link_id": self._link(),
            "session_id": self._session(self.rater, new_id()),
            "key": DEFAULT_KEY,
            "name": "v1.0.0",
            "key_id": self._key(f"{MARK} key", self.admin.project_id, "prompts:read", new_id()),
            "test_id": self.ab_test().id,
            "panel_id": panels.make_panel(parts, self.admin, f"{MARK} {new_id()}").id,
            "exclusion_id": quality.exclude(parts, self.admin, world.study.id, self.rater.user_id, MARK).id,
        }

    def candidate(self) -> PromptVersion:
        """Return a new version that asks for something else than all others."""
        with self.world.parts.store.begin() as tx:
            pointer = tx.pointers.all(prompt_key=DEFAULT_KEY, kind="environment")[0]
            live, number = tx.versions.get(pointer.version_id), tx.of_prompts.lines(DEFAULT_KEY)[-1].number + 1
            texts = {"local": live.components["local"] | {"prompt": f"{MARK}: make photo {number} brighter."}}
            changes: dict[str, Any] = {"parents": (live.id,), "components": texts, "sha256": "", "revision": 0}
            made = replace(live, id=new_id(), number=number, name=None, status="candidate", **changes)
            return tx.versions.add(made)

    def ab_test(self, **more: Any) -> ABTest:
        """Open an A/B test in place of those that are open."""
        parts = self.world.parts
        with parts.store.read() as tx:
            running = tx.ab_tests.all(prompt_key=DEFAULT_KEY, state=("running", "paused"))
        for test in running:
            abtests.move_test(parts, self.admin, test.id, "stop")
        challenge = Challenge((self.candidate().id,), MARK, **more)
        return abtests.open_test(parts, self.admin, self.world.study.id, challenge)

    def _link(self) -> str:
        secret = self.site.link("rater", f"{MARK}-{new_id()}@example.org")
        with self.world.parts.store.read() as tx:
            return tx.links.all(secret_hash=digest(secret))[0].id

    def _session(self, actor: Actor, secret: str) -> str:
        now = self.world.clock.now()
        with self.world.parts.store.begin() as tx:
            return tx.sessions.add(
                Session(new_id(), digest(secret), actor.user_id, actor.project_id, now, now + SESSION_TIME)
            ).id

    def _key(self, name: str, project_id: str, scope: Scope, secret: str) -> str:
        key = ApiKey(new_id(), digest(secret), project_id, None, name, "production", (scope,), self.world.clock.now())
        with self.world.parts.store.begin() as tx:
            return tx.keys.add(key).id

    def _project(self) -> str:
        project = Project(new_id(), "Other", self.world.clock.now())
        with self.world.parts.store.begin() as tx:
            return tx.projects.add(project).id


@contextmanager
def lived(folder: Path, ratings: int, many: Many) -> Iterator[Grounds]:
    """Make a site on SQLite that has grown; its ids are of what has most."""
    (folder / "data").mkdir()
    migrate(f"sqlite:///{folder}/palate.db")
    store = SqlStore.open(f"sqlite:///{folder}/palate.db")
    world = make_world(store, FixedClock(), folder, inputs=2)
    made = Grounds(Site(world, Settings(_env_file=None, data_dir=folder / "data")))
    made.ids.update(grow(world, ratings, many))
    with made.client:
        yield made
    store.close()
