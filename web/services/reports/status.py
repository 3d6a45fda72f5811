"""How a study stands: to admins all of it, to raters their own numbers."""

from dataclasses import dataclass

from ml_service.errors import NotFound
from web.domain.access import Actor
from web.domain.day import midnight
from web.domain.prompts.prompt import PromptVersion
from web.domain.rating.standing import RatersReport
from web.domain.reports.report import OwnReport, StudyReport
from web.domain.studies.study import Study
from web.ports.parts import Parts
from web.rows.studies import StudyRows
from web.rows.transaction import Transaction
from web.services.prompts import pointers
from web.services.rating.training import away
from web.services.studies.experiments import studies_to_see, study_to_see


@dataclass(frozen=True)
class Status:
    """How a study stands as admins see it, beside the live version; `away` is what its jobs wait for."""

    report: StudyReport
    raters: RatersReport
    studies: tuple[Study, ...]
    live: PromptVersion
    away: str


@dataclass(frozen=True)
class OwnStatus:
    """How a rater stands in a study, and the studies to choose from."""

    report: OwnReport
    studies: tuple[Study, ...]


def status(parts: Parts, actor: Actor, study_id: str) -> Status | OwnStatus | None:
    """Return how a study stands, of what actors may know of it; None where there is no study yet."""
    with parts.store.snapshot() as tx:
        study = study_to_see(tx, actor, study_id or None)
        if study is None:
            return None
        studies = studies_to_see(tx, actor)
        report = _report(tx, parts, actor, study)
        if isinstance(report, OwnReport):
            return OwnStatus(report, studies)
        live = pointers.live_version(tx, study.prompt_key)
        return Status(report, tx.of_reports.raters(study), studies, live, away(tx, study.id))


def numbers(parts: Parts, actor: Actor, study_id: str) -> StudyReport | OwnReport:
    """Return how a study stands in numbers."""
    with parts.store.snapshot() as tx:
        return _report(tx, parts, actor, _chosen(tx, actor, study_id))


def watched(parts: Parts, actor: Actor, study_id: str) -> Study:
    """Return the study whose changes are announced to somebody."""
    with parts.store.read() as tx:
        return _chosen(tx, actor, study_id)


def change(parts: Parts, study_id: str) -> str:
    """Return an opaque text that is another one whenever something of a study has changed."""
    with parts.store.read() as tx:
        return tx.of_reports.change(study_id)


def _chosen(tx: StudyRows, actor: Actor, study_id: str) -> Study:
    chosen = study_to_see(tx, actor, study_id or None)
    if chosen is None:
        raise NotFound("There is no study yet; an admin makes one under Studies.")
    return chosen


def _report(tx: Transaction, parts: Parts, actor: Actor, study: Study) -> StudyReport | OwnReport:
    """Return what an actor may know; today is the day of whoever asks, where they are."""
    now, zone = parts.clock.now(), actor.time_zone
    if actor.role == "admin":
        return tx.of_reports.study(study, now, midnight(now, zone), zone)
    return tx.of_reports.own(study, actor.user_id, midnight(now, zone), zone)
