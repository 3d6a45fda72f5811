"""The page that compares two studies."""

from fastapi import APIRouter, Request, Response

from web.domain.reports.report import StudyReport
from web.http.edge.session import Admin, context
from web.http.serving.templates import page
from web.pages.drawing.bars import shown
from web.pages.drawing.charts import best_of_each
from web.pages.learning import words
from web.pages.learning.comparing import Side, sentences
from web.services.reports.comparing import compared

router = APIRouter(prefix="/admin/studies", tags=["studies pages"])


@router.get("/compare")
def compare(request: Request, admin: Admin, a: str = "", b: str = "") -> Response:
    """Show two studies side by side: how they learnt, their best settings, gain and cost, and what that says."""
    found = compared(context(request).parts, admin, a, b)
    reports = [one for one in (found.first, found.second) if one is not None]
    sides = [side_of(report) for report in reports]
    return page(
        request,
        "studies/compare.html",
        actor=admin,
        active="studies",
        studies=found.studies,
        chosen=(a, b),
        sides=sides,
        curves=best_of_each([(report.study.name, report.best) for report in reports if report.best]),
        settings=settings(sides),
        said=sentences(sides[0], sides[1]) if len(sides) == 2 else (),
        words=words,
    )


def side_of(report: StudyReport) -> Side:
    """Return what is compared of a study."""
    best = report.learnt.diagnosis.best if report.learnt else None
    return Side(report.study, best, report.counts.ratings, report.counts.spent_micros)


def settings(sides: list[Side]) -> list[tuple[str, str, list[str]]]:
    """Return each setting that either study found, with its unit and its best value in each, or a dash."""
    points = [side.best.point if side.best else {} for side in sides]
    known = {
        name: one for side in sides for space in side.study.spaces.values() for name, one in space.parameters.items()
    }
    names = dict.fromkeys(name for point in points for name in point)
    return [
        (
            name,
            known[name].unit if name in known else "",
            [shown(point[name]) if name in point else "–" for point in points],
        )
        for name in names
    ]
