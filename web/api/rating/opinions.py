"""What a study's raters are like and what they make of the items: as JSON, and as CSV for spreadsheets."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import TypeAdapter

from ml_service.wire.contract import Interval
from web.domain.access import Actor
from web.domain.day import written
from web.domain.rating.figures import Agreement, AgreementStep, OrdinalCheck, RaterFigures
from web.domain.rating.standing import RaterReport, RatersReport, ScoredItem
from web.http.edge.session import Admin, context
from web.http.serving.export import csv_download, json_download
from web.http.wire.openapi import content
from web.services.rating import views

router = APIRouter(prefix="/api/v1/studies/{study_id}", tags=["opinions"])


@dataclass(frozen=True)
class RaterOut:
    """One rater of a study in numbers: stars above the others, noise, checks, repeats, seconds, flags, and standing."""

    rater: str
    rater_id: str
    ratings: int
    skips: int
    level: float | None
    level_low: float | None
    level_high: float | None
    scale: float | None
    noise: float | None
    noise_low: float | None
    noise_high: float | None
    checks_passed: int
    checks: int
    repeats_alike: int
    repeats: int
    median_seconds: float | None
    flags: tuple[str, ...]
    level_moved: float | None
    paused: bool
    excluded_since: str

    @classmethod
    def of(cls, one: RaterReport) -> "RaterOut":
        """Return a rater's numbers; what is not known is None."""
        figures, place = one.figures, one.enrolment
        judge = figures.judge if figures else None
        return cls(
            rater=one.rater,
            rater_id=one.rater_id,
            skips=one.skips,
            **_interval("level", judge.bias if judge else None),
            scale=judge.scale.mean if judge else None,
            **_interval("noise", figures.noise if figures else None),
            **_counts(figures),
            paused=place is not None and place.paused_at is not None,
            excluded_since=written(one.exclusion.since) if one.exclusion else "",
        )


@dataclass(frozen=True)
class ItemOut:
    """One item's opinion score with its 95 % interval, and how likely it is the best."""

    input: str
    score: float
    low: float
    high: float
    ratings: int
    best: float
    generator: str
    version: str
    output_id: str
    input_id: str
    experiment_id: str

    @classmethod
    def of(cls, one: ScoredItem) -> "ItemOut":
        """Return an item's score."""
        score = one.score
        return cls(
            one.input, score.mean, score.low, score.high, score.ratings, one.best, one.generator, one.version,
            score.item, one.input_id, one.experiment_id,
        )  # fmt: skip


@dataclass(frozen=True)
class AgreementOut:
    """How far raters agree, now and up to moments before, and what last night's ordinal check found."""

    now: Agreement
    over_time: tuple[AgreementStep, ...]
    order: OrdinalCheck | None


_RATER, _ITEM, _AGREEMENT = TypeAdapter(RaterOut), TypeAdapter(ItemOut), TypeAdapter(AgreementOut)


@router.get("/agreement", responses={200: {"model": AgreementOut}})
def agreement(request: Request, admin: Admin, study_id: str) -> Response:
    """Return how far the raters of a study agree, now and over time, and how sure the scores of items are."""
    found = _report(request, admin, study_id)
    return Response(
        _AGREEMENT.dump_json(AgreementOut(found.agreement, found.over_time, found.order)), media_type="application/json"
    )


@router.get("/raters.csv", response_class=StreamingResponse, responses={200: content("text/csv")})
def raters_csv(request: Request, admin: Admin, study_id: str) -> StreamingResponse:
    """Return every rater of a study in numbers, as CSV."""
    return _csv("palate-raters.csv", RaterOut, [RaterOut.of(one) for one in _report(request, admin, study_id).raters])


@router.get("/raters.json", response_class=StreamingResponse, responses={200: {"model": list[RaterOut]}})
def raters_json(request: Request, admin: Admin, study_id: str) -> StreamingResponse:
    """Return every rater of a study in numbers, as one JSON array."""
    found = _report(request, admin, study_id).raters
    return json_download("palate-raters.json", (_RATER.dump_json(RaterOut.of(one)).decode() for one in found))


@router.get("/scores.csv", response_class=StreamingResponse, responses={200: content("text/csv")})
def scores_csv(request: Request, admin: Admin, study_id: str) -> StreamingResponse:
    """Return the opinion score of every item of a study, the best first, as CSV."""
    return _csv("palate-scores.csv", ItemOut, [ItemOut.of(one) for one in _report(request, admin, study_id).items])


@router.get("/scores.json", response_class=StreamingResponse, responses={200: {"model": list[ItemOut]}})
def scores_json(request: Request, admin: Admin, study_id: str) -> StreamingResponse:
    """Return the opinion score of every item of a study, the best first, as one JSON array."""
    found = _report(request, admin, study_id).items
    return json_download("palate-scores.json", (_ITEM.dump_json(ItemOut.of(one)).decode() for one in found))


def _report(request: Request, admin: Actor, study_id: str) -> RatersReport:
    return views.raters(context(request).parts, admin, study_id).report


def _csv(name: str, kind: type[Any], rows: Sequence[object]) -> StreamingResponse:
    columns = tuple(field.name for field in fields(kind))
    return csv_download(name, columns, map(attrgetter(*columns), rows))


def _interval(name: str, one: Interval | None) -> dict[str, Any]:
    told = (one.mean, one.low, one.high) if one else (None, None, None)
    return dict(zip((name, f"{name}_low", f"{name}_high"), told, strict=True))


def _counts(figures: RaterFigures | None) -> dict[str, Any]:
    if figures is None:
        nothing = dict.fromkeys(("ratings", "checks_passed", "checks", "repeats_alike", "repeats"), 0)
        return nothing | {"median_seconds": None, "flags": (), "level_moved": None}
    return {
        "ratings": figures.ratings,
        "checks_passed": figures.checks.right,
        "checks": figures.checks.of,
        "repeats_alike": figures.repeats.right,
        "repeats": figures.repeats.of,
        "median_seconds": figures.median_seconds if figures.seconds else None,
        "flags": tuple(flag.name for flag in figures.flags),
        "level_moved": figures.drift.by if figures.drift else None,
    }
