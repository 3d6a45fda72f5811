"""Who rates a study, as admins set it; said twice, it is kept once."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from ml_service.errors import InvalidRequest, NotFound
from web.domain.access import Actor
from web.domain.accounts import User, email_address
from web.domain.ids import new_id
from web.domain.studies.assigning import EVERYONE, FIRST, Assignment, Audience, First, Panel, check_share
from web.domain.studies.study import Study
from web.ports.parts import Books
from web.rows.accounts import AccountRows
from web.rows.studies import StudyRows
from web.rows.transaction import Transaction
from web.services.accounts import rights
from web.services.audit.record import record


@dataclass(frozen=True)
class Assigned:
    """An assignment with what its audience is called, and how many active people it is."""

    assignment: Assignment
    name: str
    people: int


@dataclass(frozen=True)
class WhoRates:
    """Who rates a study, how many people that is, and the panels and people that may be added."""

    study: Study
    assigned: tuple[Assigned, ...]
    people: int
    panels: tuple[Panel, ...]
    others: tuple[User, ...]

    @property
    def for_everyone(self) -> bool:
        """Tell whether everyone rates it."""
        return any(one.assignment.audience == EVERYONE for one in self.assigned)


@dataclass(frozen=True)
class FirstRaters:
    """Whom a study that begins may be rated by, by name, and who rates it where nothing is said."""

    panels: tuple[Panel, ...]
    people: tuple[User, ...]
    proposed: First


def raters_of(parts: Books, admin: Actor, study_id: str) -> WhoRates:
    """Return who rates a study."""
    with parts.store.snapshot() as tx:
        study = rights.found(tx.studies, admin, "steer", "study", study_id)
        people = people_of(tx, admin.project_id)
        panels = {panel.id: panel for panel in tx.panels.all(project_id=admin.project_id)}
        members = members_of(tx, panels)
        assigned, covered = [], set[str]()
        for one in tx.assignments.all(study_id=study.id):
            here = _covered(one, people, members)
            name = panels[one.panel_id].name if one.panel_id else _address(tx, one.user_id)
            assigned.append(Assigned(one, name, len(here)))
            covered |= here
        taken = {one.assignment.audience.id for one in assigned}
        return WhoRates(
            study,
            tuple(sorted(assigned, key=lambda one: (one.assignment.kind, one.name))),
            len(covered),
            tuple(sorted((one for one in panels.values() if one.id not in taken), key=lambda one: one.name)),
            tuple(sorted((one for one in people.values() if one.id not in taken), key=lambda one: one.email)),
        )


def assign(parts: Books, admin: Actor, study_id: str, audience: Audience, share: int = 1, place: int = 1) -> Assignment:
    """Let an audience rate a study, with a share and a place among the others of each rater."""
    check_share(share, place)
    now = parts.clock.now()
    with parts.store.begin() as tx:
        study = rights.found(tx.studies, admin, "steer", "study", study_id)
        tx.of_studies.lock(study.id)
        check_audience(tx, admin, audience)
        before = _find(tx, study_id, audience)
        if before is not None and (before.share, before.place) == (share, place):
            return before
        if before is None:
            after = tx.assignments.add(_assignment(study_id, audience, share, place, now))
        else:
            after = tx.assignments.replace(replace(before, share=share, place=place, set_at=now))
        record(tx, now, admin, "study.assigned", ("study", study.id), details=told(after))
        return after


def unassign(parts: Books, admin: Actor, study_id: str, audience: Audience) -> None:
    """Let an audience rate a study no more; what they hold they may still rate, and what they rated stays."""
    now = parts.clock.now()
    with parts.store.begin() as tx:
        study = rights.found(tx.studies, admin, "steer", "study", study_id)
        tx.of_studies.lock(study.id)
        before = _find(tx, study_id, audience)
        if before is not None:
            tx.assignments.remove(id=before.id)
            record(tx, now, admin, "study.unassigned", ("study", study.id), details=told(before))


def first_raters(tx: Transaction, admin: Actor) -> FirstRaters:
    """Return whom a study that begins now may be rated by."""
    panels = sorted(tx.panels.all(project_id=admin.project_id), key=lambda one: one.name)
    people = sorted(people_of(tx, admin.project_id).values(), key=lambda one: one.email)
    return FirstRaters(tuple(panels), tuple(people), _proposed(tx, admin.project_id))


def _proposed(tx: StudyRows, project_id: str, but: str = "") -> First:
    """Return who rates a new study: what runs must not lose raters, so everyone only where no other runs."""
    running = tx.studies.all(project_id=project_id, state="running")
    return "nobody" if any(one.id != but for one in running) else "everyone"


def assign_first(tx: Transaction, actor: Actor, study: Study, wanted: Sequence[Audience] | None, now: datetime) -> None:
    """Say who rates a study that begins: unless that was said, everyone where no other runs, and else nobody yet."""
    for audience in FIRST[_proposed(tx, study.project_id, study.id)] if wanted is None else wanted:
        check_audience(tx, actor, audience)
        made = tx.assignments.add(_assignment(study.id, audience, 1, 1, now))
        record(tx, now, actor, "study.assigned", ("study", study.id), details=told(made))


def _assignment(study_id: str, audience: Audience, share: int, place: int, now: datetime) -> Assignment:
    panel = audience.id if audience.kind == "panel" else None
    person = audience.id if audience.kind == "person" else None
    return Assignment(new_id(), study_id, audience.kind, panel, person, share, place, now)


def _find(tx: Transaction, study_id: str, audience: Audience) -> Assignment | None:
    found = tx.assignments.all(study_id=study_id, kind=audience.kind)
    return next((one for one in found if one.audience == audience), None)


def told(one: Assignment) -> dict[str, str]:
    """Return what an event tells of an assignment."""
    return {"audience": one.kind, "share": str(one.share), "place": str(one.place)} | (
        {"whom": one.audience.id} if one.audience.id else {}
    )


def addressed(parts: Books, admin: Actor, address: str) -> Audience:
    """Return the person of the project who has an address."""
    email = email_address(address)
    with parts.store.read() as tx:
        user = tx.users.find(email=email)
        if user is None or tx.memberships.find(user_id=user.id, project_id=admin.project_id) is None:
            raise NotFound(f"Nobody in this project has the address {email}; invite them under People first.")
    return Audience("person", user.id)


def check_audience(tx: Transaction, admin: Actor, audience: Audience) -> None:
    """Refuse whom this project does not have."""
    if audience.kind == "panel":
        rights.found(tx.panels, admin, "steer", "panel", audience.id)
    elif audience.kind == "person":
        if tx.memberships.find(user_id=audience.id, project_id=admin.project_id) is None:
            raise NotFound(f"There is no person {audience.id} in this project.")
    elif audience.id:
        raise InvalidRequest("Everyone has no id; leave it out.")


def who_rates(tx: Transaction, study: Study) -> frozenset[str]:
    """Return the ids of the active people who rate a study."""
    assigned, people = tx.assignments.all(study_id=study.id), people_of(tx, study.project_id)
    panels = {one.panel_id for one in assigned if one.panel_id}
    members = members_of(tx, panels)
    return frozenset().union(*(_covered(one, people, members) for one in assigned))


def people_of(tx: AccountRows, project_id: str) -> dict[str, User]:
    """Return the active people of a project by id."""
    ids = tuple(one.user_id for one in tx.memberships.all(project_id=project_id))
    return {user.id: user for user in tx.users.all(id=ids, active=True)}


def members_of(tx: StudyRows, panels: Collection[str]) -> dict[str, set[str]]:
    """Return the ids of who is in each of some panels."""
    found: dict[str, set[str]] = {panel_id: set() for panel_id in panels}
    for one in tx.panel_members.all(panel_id=tuple(panels)):
        found[one.panel_id].add(one.user_id)
    return found


def _covered(one: Assignment, people: dict[str, User], members: dict[str, set[str]]) -> set[str]:
    """Return the active people whom an assignment is about."""
    if one.kind == "everyone":
        return set(people)
    chosen = members[one.panel_id] if one.panel_id else {one.user_id or ""}
    return chosen & people.keys()


def _address(tx: Transaction, user_id: str | None) -> str:
    return tx.users.get(user_id).email if user_id else "everyone"
