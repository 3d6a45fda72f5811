"""The pages of a study's raters: what they are like, whom to believe, and what an admin does about it."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from markupsafe import Markup

from ml_service.errors import NotFound
from web.domain.day import between, day_of
from web.domain.rating.standing import RaterReport, RatersReport
from web.http.edge.session import Admin, context
from web.http.serving.templates import page
from web.pages.learning.words import percent
from web.pages.rating import charts as rater_charts
from web.pages.rating import words as rater_words
from web.services.rating import enrolment, quality, views

router = APIRouter(tags=["raters pages"])

Plots = dict[str, Markup]
Words = Annotated[str, Form(max_length=2 * enrolment.MOST_WORDS)]


@dataclass(frozen=True)
class Pool:
    """What all raters but one have given: how often each score, and how long they looked."""

    scores: dict[int, int]
    seconds: tuple[float, ...]

    @classmethod
    def beside(cls, report: RatersReport, rater_id: str = "") -> "Pool":
        """Return the pool of everybody but one rater."""
        others = [one.figures for one in report.raters if one.figures and one.rater_id != rater_id]
        scores = {score: sum(one.scores[score] for one in others) for score in range(1, 6)}
        return cls(scores, tuple(second for one in others for second in one.seconds))


@router.get("/admin/raters")
def raters(request: Request, admin: Admin, study: str = "") -> Response:
    """Show the raters of a study side by side."""
    found = views.raters_view(context(request).parts, admin, study)
    if found is None:
        return page(request, "reports/status_empty.html", actor=admin, active="raters")
    return page(
        request,
        "rating/raters.html",
        actor=admin,
        active="raters",
        study=found.study,
        studies=found.studies,
        report=found.report,
        plots=_plots(found.report, admin.time_zone),
        words=rater_words,
        percent=percent,
        period=found.period,
    )


@router.get("/admin/studies/{study_id}/raters/{user_id}")
def rater(request: Request, admin: Admin, study_id: str, user_id: str) -> Response:
    """Show one rater of a study beside the others, with what can be done."""
    found = views.raters(context(request).parts, admin, study_id)
    report = found.report
    one = _rater(report, user_id)
    return page(
        request,
        "rating/rater.html",
        actor=admin,
        active="raters",
        study=found.study,
        report=report,
        one=one,
        plots=beside(one, Pool.beside(report, user_id), admin.time_zone),
        words=rater_words,
    )


@router.post("/admin/studies/{study_id}/raters/{user_id}/pause")
def pause(request: Request, admin: Admin, study_id: str, user_id: str, words: Words) -> Response:
    """Give a rater no more items for now."""
    enrolment.pause(context(request).parts, admin, study_id, user_id, words)
    return _back(study_id, user_id)


@router.post("/admin/studies/{study_id}/raters/{user_id}/resume")
def resume(request: Request, admin: Admin, study_id: str, user_id: str) -> Response:
    """Let a paused rater go on."""
    enrolment.resume(context(request).parts, admin, study_id, user_id)
    return _back(study_id, user_id)


@router.post("/admin/studies/{study_id}/raters/{user_id}/recalibrate")
def recalibrate(request: Request, admin: Admin, study_id: str, user_id: str) -> Response:
    """Ask a rater for the calibration again."""
    enrolment.recalibrate(context(request).parts, admin, study_id, user_id)
    return _back(study_id, user_id)


@router.post("/admin/studies/{study_id}/raters/{user_id}/message")
def message(request: Request, admin: Admin, study_id: str, user_id: str, words: Words) -> Response:
    """Write to a rater."""
    enrolment.message(context(request).parts, admin, study_id, user_id, words)
    return _back(study_id, user_id)


@router.post("/admin/studies/{study_id}/raters/{user_id}/answer")
def answer(request: Request, admin: Admin, study_id: str, user_id: str, words: Words) -> Response:
    """Answer a rater's appeal."""
    enrolment.answer(context(request).parts, admin, study_id, user_id, words)
    return _back(study_id, user_id)


@router.post("/admin/studies/{study_id}/raters/{user_id}/exclude")
def exclude(
    request: Request, admin: Admin, study_id: str, user_id: str, words: Words, since: Annotated[str, Form()] = ""
) -> Response:
    """Let a rater's ratings count no more, from a day on or all of them."""
    parts, day = context(request).parts, day_of("since", since)
    start, _ = between(day, None, admin.time_zone)
    quality.exclude(parts, admin, study_id, user_id, words, start)
    return _back(study_id, user_id)


@router.post("/admin/studies/{study_id}/raters/{user_id}/lift")
def lift(
    request: Request, admin: Admin, study_id: str, user_id: str, exclusion_id: Annotated[str, Form(max_length=36)]
) -> Response:
    """Let an excluded rater's ratings count again."""
    quality.lift(context(request).parts, admin, exclusion_id)
    return _back(study_id, user_id)


def beside(one: RaterReport, pool: Pool, zone: str) -> Plots:
    """Return the drawings of one rater beside the others, with times by a time zone."""
    figures = one.figures
    if figures is None:
        return {}
    return _there(
        scores=rater_charts.scores_beside(figures.scores, pool.scores),
        times=rater_charts.times(figures.seconds, pool.seconds),
        level=rater_charts.level_over_time(figures.levels, zone),
    )


def _plots(report: RatersReport, zone: str) -> Plots:
    known = [(one.rater, one.figures) for one in report.raters if one.figures]
    pool = Pool.beside(report)
    checks = [(name, one.checks) for name, one in known]
    repeats = [(name, one.repeats) for name, one in known]
    return _there(
        levels=rater_charts.levels(known),
        noise=rater_charts.noise(known),
        agreement=rater_charts.agreement(report.over_time, zone),
        correlation=rater_charts.correlation(report.over_time, zone),
        checks=rater_charts.shares("Checks passed", "Of items whose right answer is known.", checks),
        repeats=rater_charts.shares("Repeats within a star", "Of the same pictures, shown again.", repeats),
        times=rater_charts.times(pool.seconds, ()),
        items=rater_charts.items(report.items),
    )


def _there(**plots: Markup | None) -> Plots:
    return {name: plot for name, plot in plots.items() if plot is not None}


def _rater(report: RatersReport, user_id: str) -> RaterReport:
    found = next((one for one in report.raters if one.rater_id == user_id), None)
    if found is None:
        raise NotFound(f"{user_id} has not rated in this study. The raters of it are listed under Raters.")
    return found


def _back(study_id: str, user_id: str) -> Response:
    return RedirectResponse(f"/admin/studies/{study_id}/raters/{user_id}", 303)
