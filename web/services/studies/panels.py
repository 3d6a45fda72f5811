"""Panels: named groups of raters, who is in them, and what they rate."""

from dataclasses import dataclass, replace

from ml_service.errors import Conflict
from web.domain.access import Actor
from web.domain.accounts import User
from web.domain.ids import new_id
from web.domain.studies.assigning import Audience, Panel, PanelMember, panel_name
from web.domain.studies.study import Study
from web.ports.parts import Books, Parts
from web.rows.transaction import Transaction
from web.services.accounts import rights
from web.services.audit.record import record
from web.services.studies.assigning import check_audience, members_of, people_of, told


@dataclass(frozen=True)
class PanelLine:
    """A panel with its members, by address, and the studies that it rates."""

    panel: Panel
    members: tuple[User, ...]
    studies: tuple[Study, ...]


@dataclass(frozen=True)
class PanelsView:
    """The panels of a project, by name, and the active people who may be put into one, by address."""

    lines: tuple[PanelLine, ...]
    people: tuple[User, ...]


def panels_view(parts: Parts, admin: Actor) -> PanelsView:
    """Return the panels of a project and whom they may have."""
    rights.demand(admin, "steer")
    with parts.store.snapshot() as tx:
        people = sorted(people_of(tx, admin.project_id).values(), key=lambda one: one.email)
        return PanelsView(panels(parts.at(tx), admin), tuple(people))


def panels(parts: Books, admin: Actor) -> tuple[PanelLine, ...]:
    """Return the panels of a project, by name."""
    rights.demand(admin, "steer")
    with parts.store.snapshot() as tx:
        found = {panel.id: panel for panel in tx.panels.all(project_id=admin.project_id)}
        people, members = people_of(tx, admin.project_id), members_of(tx, found)
        studies = {one.id: one for one in tx.studies.all(project_id=admin.project_id)}
        given = tx.assignments.all(panel_id=tuple(found))
    lines = [
        PanelLine(
            panel,
            tuple(sorted((people[who] for who in members[panel.id] & people.keys()), key=lambda one: one.email)),
            tuple(studies[one.study_id] for one in given if one.panel_id == panel.id),
        )
        for panel in found.values()
    ]
    return tuple(sorted(lines, key=lambda line: line.panel.name))


def make_panel(parts: Books, admin: Actor, name: str) -> Panel:
    """Make a panel without members; a name is given once in a project."""
    rights.demand(admin, "steer")
    now = parts.clock.now()
    panel = Panel(new_id(), admin.project_id, panel_name(name), now)
    with parts.store.begin() as tx:
        _check_free(tx, panel)
        tx.panels.add(panel)
        record(tx, now, admin, "panel.made", ("panel", panel.id), after=panel)
        return panel


def rename_panel(parts: Books, admin: Actor, panel_id: str, revision: int, name: str) -> Panel:
    """Give a panel another name."""
    now = parts.clock.now()
    with parts.store.begin() as tx:
        before = rights.found(tx.panels, admin, "steer", "panel", panel_id)
        if before.revision != revision:
            raise Conflict("Somebody changed this panel meanwhile; load it again and repeat your change.")
        wanted = replace(before, name=panel_name(name))
        if wanted == before:
            return before
        _check_free(tx, wanted)
        after = tx.panels.replace(wanted)
        record(tx, now, admin, "panel.renamed", ("panel", panel_id), before=before, after=after)
        return after


def delete_panel(parts: Books, admin: Actor, panel_id: str) -> None:
    """Delete a panel; its members rate no more what they rated as such."""
    now = parts.clock.now()
    with parts.store.begin() as tx:
        panel = rights.found(tx.panels, admin, "steer", "panel", panel_id)
        given = tx.assignments.all(panel_id=panel.id)
        tx.assignments.remove(panel_id=panel.id)
        tx.panel_members.remove(panel_id=panel.id)
        tx.panels.remove(id=panel.id)
        record(tx, now, admin, "panel.deleted", ("panel", panel.id), before=panel)
        for one in given:
            record(tx, now, admin, "study.unassigned", ("study", one.study_id), details=told(one))


def join_panel(parts: Books, admin: Actor, panel_id: str, user_id: str) -> None:
    """Put a person of the project into a panel."""
    now = parts.clock.now()
    with parts.store.begin() as tx:
        rights.found(tx.panels, admin, "steer", "panel", panel_id)
        tx.of_people.lock(user_id)
        check_audience(tx, admin, Audience("person", user_id))
        if tx.panel_members.find(panel_id=panel_id, user_id=user_id) is None:
            tx.panel_members.add(PanelMember(new_id(), panel_id, user_id, now))
            record(tx, now, admin, "panel.joined", ("panel", panel_id), details={"person": user_id})


def leave_panel(parts: Books, admin: Actor, panel_id: str, user_id: str) -> None:
    """Take a person out of a panel."""
    now = parts.clock.now()
    with parts.store.begin() as tx:
        rights.found(tx.panels, admin, "steer", "panel", panel_id)
        if tx.panel_members.remove(panel_id=panel_id, user_id=user_id):
            record(tx, now, admin, "panel.left", ("panel", panel_id), details={"person": user_id})


def _check_free(tx: Transaction, panel: Panel) -> None:
    taken = tx.panels.find(project_id=panel.project_id, name=panel.name)
    if taken is not None and taken.id != panel.id:
        raise Conflict(f"There is a panel called {panel.name} already; choose another name.")
