"""Who else visits the app for tests: machines with a key, and the people of another project."""

from fastapi.testclient import TestClient

from tests.site import Site
from web.domain.access import Actor, ApiKey, Role, Scope
from web.domain.ids import new_id
from web.domain.study import Project
from web.services import accounts
from web.services.sessions import digest


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
    inviter = Actor(site.world.admin.user_id, "", project_id, "admin")
    secret = accounts.invite(site.world.parts.store, site.world.clock, inviter, role)
    client = site.visitor()
    body = {"secret": secret, "email": f"{new_id()}@example.org"}
    assert client.post("/api/v1/session", json=body).status_code == 204
    client.headers["X-CSRF-Token"] = client.get("/api/v1/session").json()["csrf_token"]
    return client
