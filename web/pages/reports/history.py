"""The history: filtered rows page by page, and one experiment whole; raters see their own answers alone."""

from typing import Any, get_args
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from web.domain.reports.history import AnswerState, Cursor, Filter
from web.domain.reports.tables import TABLES
from web.domain.studies.experiment import ExperimentKind
from web.domain.studies.guide import SCORES, TAGS
from web.http.edge.session import Admin, Rater, context
from web.http.serving.templates import page
from web.http.wire.openapi import query_of
from web.pages.learning import words as wording
from web.pages.learning.findings import expected
from web.services.reports import history as past

router = APIRouter(tags=["history pages"])

ROWS = 25


@router.get("/history", openapi_extra=query_of(Filter))
def history(request: Request, rater: Rater, after: str = "") -> Response:
    """Show rows of the history, newest first, with a form that filters them."""
    wanted = Filter.read(request.query_params)
    found = past.history(context(request).parts, rater, wanted, Cursor.read(after), ROWS)
    shared: dict[str, Any] = {
        "wanted": wanted,
        "choices": found.choices,
        "states": get_args(AnswerState),
        "kinds": get_args(ExperimentKind),
        "tables": tuple(TABLES),
    }
    links: dict[str, Any] = {"query": urlencode(wanted.query()), "first": not after}
    template = "reports/history.html" if rater.role == "admin" else "reports/history_own.html"
    return page(request, template, actor=rater, active="history", rows=found.rows, **shared, **links)


@router.get("/history/{experiment_id}")
def experiment(request: Request, admin: Admin, experiment_id: str) -> Response:
    """Show one experiment whole: before and after, parameters, ratings, and what happened when."""
    detail = past.experiment(context(request).parts, admin, experiment_id)
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
