"""The status page: what a study has, what was learnt, and for raters their own numbers."""

from datetime import datetime

from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from ml_service.contract import Best, Convergence, Diagnosis, Interval, Value
from web.domain.access import Actor
from web.domain.prompt import PromptVersion
from web.domain.rating import TAGS
from web.domain.report import OwnReport, StudyReport, TrendStep
from web.domain.study import Study
from web.http.session import Rater, context
from web.http.templates import page
from web.pages import charts
from web.pages.svg import number
from web.ports import Parts
from web.services.releases import live_of
from web.services.training import study_to_rate

router = APIRouter(tags=["status page"])

Plots = dict[str, Markup]


@router.get("/status")
def status(request: Request, rater: Rater, study: str = "") -> Response:
    """Show how a study stands: to admins all of it, to raters their own numbers."""
    parts = context(request).parts
    with parts.store.read() as tx:
        chosen = study_to_rate(tx, rater, study or None)
        studies = tx.studies.all(project_id=rater.project_id)
    if chosen is None:
        return page(request, "status_empty.html", actor=rater, active="status")
    if rater.role != "admin":
        return _own(request, rater, chosen, studies)
    report = parts.reports.study(chosen, parts.clock.now())
    names = {one.rater_id: one.rater for one in report.raters}
    learnt = report.learnt.diagnosis if report.learnt else None
    with parts.store.read() as tx:
        live = live_of(tx, chosen.prompt_key)[1]
    return page(
        request,
        "status.html",
        actor=rater,
        active="status",
        report=report,
        studies=studies,
        plots=_plots(report) | _learnt_plots(learnt, names),
        responses=_responses(chosen, learnt),
        settings=_settings(chosen, learnt),
        live=live.name,
        is_live=learnt is not None and learnt.best is not None and _is_live(parts, live, learnt.best),
        left=gain_left(learnt.convergence if learnt else None),
        words=_words,
    )


def _own(request: Request, rater: Actor, study: Study, studies: tuple[Study, ...]) -> Response:
    parts = context(request).parts
    report = parts.reports.own(study, rater.user_id, midnight(parts.clock.now()))
    plots = _rated_plots(report)
    return page(request, "status_own.html", actor=rater, active="status", report=report, studies=studies, plots=plots)


def midnight(now: datetime) -> datetime:
    """Return when the day of a moment began, in UTC."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def gain_left(convergence: Convergence | None) -> tuple[str, str]:
    """Say in words how much better the settings may still get: a headline and what it rests on."""
    if convergence is None:
        return "not known yet", "A few more ratings are needed to tell."
    near = f"{convergence.probability_near_best:.0%} sure to be within 0.1 stars of the best there is."
    if convergence.gain_left < 0.05:
        return "next to nothing", near
    return f"about {convergence.gain_left:.1f} stars", near


def _plots(report: StudyReport) -> Plots:
    plots = _rated_plots(report)
    if report.versions:
        plots["versions"] = charts.means(report.versions)
    if report.best:
        plots["best"] = charts.best_so_far(report.best)
    return plots


def _rated_plots(report: StudyReport | OwnReport) -> Plots:
    plots: Plots = {}
    trend: tuple[TrendStep, ...] = report.trend
    if trend:
        plots["trend"] = charts.trend(trend)
        plots["scores"] = charts.histogram(report.scores)
    if report.tags:
        plots["tags"] = charts.counts(
            "What raters complain of", {TAGS.get(tag, tag): n for tag, n in report.tags.items()}
        )
    return plots


def _learnt_plots(learnt: Diagnosis | None, names: dict[str, str]) -> Plots:
    if learnt is None:
        return {}
    plots: Plots = {}
    if learnt.parameters:
        plots["importance"] = charts.importance(learnt.parameters)
    if len(learnt.raters) > 1:
        plots["raters"] = charts.effects([(names.get(one.rater, one.rater), one) for one in learnt.raters])
    if learnt.variance is not None:
        plots["variance"] = charts.variance(learnt.variance)
    return plots


def _responses(study: Study, learnt: Diagnosis | None) -> dict[str, Markup]:
    """Return the response curves by parameter, the most important first, of those still in the space."""
    if learnt is None or learnt.best is None:
        return {}
    space, best = study.spaces[study.generator].parameters, learnt.best.point
    ordered = sorted(learnt.parameters.items(), key=lambda item: -item[1].importance)
    return {
        name: charts.response(name, space[name], report, best[name])
        for name, report in ordered
        if name in space and all(space[name].accepts(at.value) for at in (report.curve[0], report.curve[-1]))
    }


def _settings(study: Study, learnt: Diagnosis | None) -> list[tuple[str, str, str, str, float | None]]:
    """Return each parameter's name, unit, best value, default, and how settled it is."""
    if learnt is None or learnt.best is None:
        return []
    space = study.spaces[study.generator].parameters
    return [
        (
            name,
            space[name].unit if name in space else "",
            _value(value),
            _value(space[name].default) if name in space else "",
            learnt.parameters[name].settled if name in learnt.parameters else None,
        )
        for name, value in learnt.best.point.items()
    ]


def _is_live(parts: Parts, live: PromptVersion, best: Best) -> bool:
    """Tell whether production uses the best settings already."""
    used = parts.generators[best.generator].space().default() | live.parameter_defaults.get(best.generator, {})
    return used == used | best.point


def _value(value: Value) -> str:
    return value if isinstance(value, str) else number(float(value), 3)


def _words(interval: Interval, *, signed: bool = False) -> str:
    """Return an interval as its bounds."""
    return f"{interval.low:+.2f} to {interval.high:+.2f}" if signed else f"{interval.low:.2f} to {interval.high:.2f}"
