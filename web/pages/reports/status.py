"""The status page: what a study has, what was learnt, and for raters their own numbers."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from markupsafe import Markup
from pydantic import AwareDatetime

from ml_service.wire.contract import Best, Diagnosis
from web.domain.access import Actor
from web.domain.prompts.prompt import PromptVersion
from web.domain.rating.figures import TrendStep
from web.domain.reports.report import OwnReport, StudyReport
from web.domain.studies.guide import TAGS
from web.domain.studies.stopping import NAMES
from web.domain.studies.study import Study
from web.http.edge.session import Rater, context
from web.http.serving.templates import page
from web.pages.drawing import charts
from web.pages.drawing.bars import shown
from web.pages.learning import findings
from web.pages.learning import words as wording
from web.pages.learning.findings import expected
from web.pages.learning.heat import coverage_map
from web.pages.learning.responses import Curve, responses
from web.pages.rating import charts as rater_charts
from web.pages.rating import words as rater_words
from web.ports.parts import Parts
from web.services.rating import enrolment
from web.services.rating.enrolment import MOST_WORDS
from web.services.reports import status as standing
from web.services.reports.status import OwnStatus

router = APIRouter(tags=["status page"])

Plots = dict[str, Markup]


@router.get("/status")
def status(request: Request, rater: Rater, study: str = "") -> Response:
    """Show how a study stands: to admins all of it, to raters their own numbers."""
    parts = context(request).parts
    found = standing.status(parts, rater, study)
    if found is None:
        return page(request, "reports/status_empty.html", actor=rater, active="status")
    if isinstance(found, OwnStatus):
        return _own(request, rater, found)
    report, opinions = found.report, found.raters
    names = {one.rater_id: one.rater for one in report.raters}
    learnt = report.learnt.diagnosis if report.learnt else None
    return page(
        request,
        "reports/status.html",
        actor=rater,
        active="status",
        report=report,
        opinions=opinions,
        rater_words=rater_words,
        studies=found.studies,
        plots=_plots(report, rater.time_zone)
        | _learnt_plots(report, names)
        | _maybe(items=rater_charts.items(opinions.items)),
        responses=_responses(report),
        settings=_settings(report.study, learnt),
        effects={one.rater: one for one in learnt.raters} if learnt and len(learnt.raters) > 1 else {},
        live=found.live.name,
        away=found.away,
        is_live=learnt is not None and learnt.best is not None and _is_live(parts, found.live, learnt.best),
        words=wording,
        rules=NAMES,
        expected=expected,
    )


def _own(request: Request, rater: Actor, found: OwnStatus) -> Response:
    return page(
        request,
        "reports/status_own.html",
        actor=rater,
        active="status",
        report=found.report,
        studies=found.studies,
        plots=_rated_plots(found.report, rater.time_zone),
        words=rater_words,
    )


@router.post("/status/appeal")
def appeal(
    request: Request,
    rater: Rater,
    study: Annotated[str, Form()],
    words: Annotated[str, Form(max_length=2 * MOST_WORDS)],
) -> Response:
    """Let a rater say that they are judged wrongly."""
    enrolment.appeal(context(request).parts, rater, study, words)
    return RedirectResponse(f"/status?study={study}#appeal", 303)


@router.post("/status/message-read")
def message_read(
    request: Request, rater: Rater, study: Annotated[str, Form()], at: Annotated[AwareDatetime, Form()]
) -> Response:
    """Keep that a rater has read what an admin wrote to them."""
    enrolment.enrol(context(request).parts, rater, study, enrolment.Said(message_read=at))
    return RedirectResponse(f"/status?study={study}", 303)


def _plots(report: StudyReport, zone: str) -> Plots:
    plots = _rated_plots(report, zone)
    if len(report.versions) > 1:
        plots["versions"] = charts.means(report.versions)
    if report.best:
        plots["best"] = charts.best_so_far(report.best)
    return plots | _maybe(coverage=_coverage(report))


def _coverage(report: StudyReport) -> Markup | None:
    """Draw where the ratings of all generators lie; where there are several, parameters are told with theirs."""
    several = len(report.study.spaces) > 1
    called = {
        (generator, name): f"{generator}: {name}" if several else name
        for generator, space in report.study.spaces.items()
        for name in space.parameters
    }
    space = {words: report.study.spaces[generator].parameters[name] for (generator, name), words in called.items()}
    return coverage_map(
        space, {words: report.coverage[generator].get(name, ()) for (generator, name), words in called.items()}
    )


def _rated_plots(report: StudyReport | OwnReport, zone: str) -> Plots:
    plots: Plots = {}
    trend: tuple[TrendStep, ...] = report.trend
    if trend:
        plots["trend"] = charts.trend(trend, zone)
        plots["scores"] = charts.histogram(report.scores)
    if report.tags:
        plots["tags"] = charts.counts(
            "What raters complain of", {TAGS.get(tag, tag): n for tag, n in report.tags.items()}
        )
    return plots


def _learnt_plots(report: StudyReport, names: dict[str, str]) -> Plots:
    if report.learnt is None:
        return {}
    learnt, stop = report.learnt.diagnosis, report.study.stop
    plots: Plots = {}
    if learnt.best is not None:
        plots["verdict"] = findings.best_rating(learnt.best, stop.goal)
    if len(learnt.raters) > 1:
        plots["raters"] = findings.effects([(names.get(one.rater, one.rater), one) for one in learnt.raters])
    return (
        plots
        | _groups(report, learnt)
        | _maybe(
            importance=findings.importance(learnt.parameters),
            left=findings.convergence(report.best),
            pairs=_pairs(learnt),
            variance=findings.variance(learnt.variance) if learnt.variance else None,
        )
    )


def _pairs(learnt: Diagnosis) -> Markup | None:
    return findings.pairs(learnt.pairs) if learnt.pairs else None


def _groups(report: StudyReport, learnt: Diagnosis) -> Plots:
    """Return the effects of versions and of generators where there are several."""
    labels = report.labels
    plots: Plots = {}
    if len(learnt.versions) > 1:
        named = [(labels.get(one.name, one.name), one) for one in learnt.versions]
        plots["version-effects"] = findings.groups("How versions differ", "Version", named)
    if len(learnt.generators) > 1:
        named = [(one.name, one) for one in learnt.generators]
        plots["generator-effects"] = findings.groups("How generators differ", "Generator", named)
    return plots


def _maybe(**plots: Markup | None) -> Plots:
    return {name: plot for name, plot in plots.items() if plot is not None}


def _responses(report: StudyReport) -> Plots:
    """Return the response curves by parameter, the most important first, of those still in the space."""
    learnt = report.learnt.diagnosis if report.learnt else None
    if learnt is None or learnt.best is None:
        return {}
    space, best = report.study.parameters(learnt.best.generator), learnt.best.point
    rated = report.coverage.get(learnt.best.generator, {})
    ordered = sorted(learnt.parameters.items(), key=lambda item: -max(item[1].importance, item[1].total))
    return responses(
        [
            Curve(name, space[name], one, best[name], rated.get(name, ()))
            for name, one in ordered
            if name in space and all(space[name].accepts(at.value) for at in (one.curve[0], one.curve[-1]))
        ]
    )


def _settings(study: Study, learnt: Diagnosis | None) -> list[tuple[str, str, str, str, float | None]]:
    """Return each parameter's name, unit, best value, default, and how settled it is."""
    if learnt is None or learnt.best is None:
        return []
    space = study.parameters(learnt.best.generator)
    return [
        (
            name,
            space[name].unit if name in space else "",
            shown(value),
            shown(space[name].default) if name in space else "",
            learnt.parameters[name].settled if name in learnt.parameters else None,
        )
        for name, value in learnt.best.point.items()
    ]


def _is_live(parts: Parts, live: PromptVersion, best: Best) -> bool:
    """Tell whether production uses the best settings already; without their generator that is not known."""
    if best.generator not in parts.generators:
        return False
    used = parts.generators[best.generator].space().default() | live.parameter_defaults.get(best.generator, {})
    return used == used | best.point
