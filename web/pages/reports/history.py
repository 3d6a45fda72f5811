"""The history: filtered rows page by page, and one experiment whole; raters see their own answers alone."""

from typing import Any, get_args
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from web.domain.reports.history import AnswerState, Cursor, Filter
from web.domain.studies.experiment import ExperimentKind
from web.domain.studies.guide import SCORES, TAGS
from web.http.edge.session import Admin, Rater, context
from web.http.serving.templates import page
from web.http.wire.openapi import query_of
from web.pages.learning import words as wording
from web.pages.learning.findings import expected

router = APIRouter(tags=["history pages"])

ROWS = 25


@router.get("/history", openapi_extra=query_of(Filter))
def history(request: Request, rater: Rater, after: str = "") -> Response:
    """Show rows of the history, newest first, with a form that filters them."""
    reports, wanted, place = context(request).parts.reports, Filter.read(request.query_params), Cursor.read(after)
    choices = reports.choices(rater.project_id)
    shared: dict[str, Any] = {
        "wanted": wanted,
        "choices": choices,
        "states": get_args(AnswerState),
        "kinds": get_args(ExperimentKind),
    }
    links: dict[str, Any] = {"query": urlencode(wanted.query()), "first": not after}
    if rater.role == "admin":
        found = reports.entries(rater.project_id, wanted, place, ROWS)
        return page(request, "reports/history.html", actor=rater, active="history", rows=found, **shared, **links)
    own = reports.own_entries(rater.project_id, rater.user_id, wanted, place, ROWS)
    return page(request, "reports/history_own.html", actor=rater, active="history", rows=own, **shared, **links)


@router.get("/history/{experiment_id}")
def experiment(request: Request, admin: Admin, experiment_id: str) -> Response:
    """Show one experiment whole: before and after, parameters, ratings, and what happened when."""
    detail = context(request).parts.reports.experiment(admin.project_id, experiment_id)
    return page(
        request,
        "reports/experiment.html",
        actor=admin,
        active="history",
        detail=detail,
        scores=SCORES,
        tags={**TAGS, **detail.study.guide.tags},
        words=wording,
        expected=expected,
    )
