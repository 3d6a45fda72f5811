"""Who else visits the app for tests: machines with a key, and the people of another project."""

from datetime import timedelta

from fastapi.testclient import TestClient

from tests.site import Site
from web.domain.access import Role, Scope
from web.domain.accounts import ApiKey, Membership, Session, User
from web.domain.ids import new_id
from web.domain.studies.study import Project
from web.services.accounts.sessions import digest


def machine(site: Site, *scopes: Scope, project_id: str = "") -> TestClient:
    """Return a machine with a fresh key of the project, or of another one."""
    secret, world = f"palate_{new_id()}", site.world
    key = ApiKey(
        id=new_id(),
        secret_hash=digest(secret),
        project_id=project_id or world.admin.project_id,
        owner_id=world.admin.user_id,
        name="enhancer",
        environment="production",
        scopes=scopes,
        created_at=world.clock.now(),
    )
    with world.parts.store.begin() as tx:
        tx.keys.add(key)
    client = site.visitor()
    client.headers["Authorization"] = f"Bearer {secret}"
    return client


def another_project(site: Site) -> str:
    """Make another project and return its id."""
    project = Project(new_id(), "Others", site.world.clock.now())
    with site.world.parts.store.begin() as tx:
        tx.projects.add(project)
    return project.id


def member_of(site: Site, project_id: str, role: Role = "admin") -> TestClient:
    """Return the browser of a new member of a project."""
    now, secret = site.world.clock.now(), new_id()
    user = User(new_id(), f"{new_id()}@example.org", now)
    with site.world.parts.store.begin() as tx:
        tx.users.add(user)
        tx.memberships.add(Membership(new_id(), project_id, user.id, role, now))
        tx.sessions.add(Session(new_id(), digest(secret), user.id, project_id, now, now + timedelta(days=1)))
    client = site.visitor()
    client.headers["Cookie"] = f"palate={secret}"
    client.headers["X-CSRF-Token"] = client.get("/api/v1/session").json()["csrf_token"]
    return client
