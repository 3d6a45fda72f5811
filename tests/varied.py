"""Rows of every kind that tables for analysis may hold, and what these must say, read one by one from the store."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from ml_service.wire.contract import CategoryParameter, FloatParameter, Interval, IntParameter, ParameterSpace
from tests.world import World
from web.domain.ids import new_id
from web.domain.rating.rating import Answer, Rating
from web.domain.reports.tables import TableName
from web.domain.studies.experiment import Experiment, Option, Output
from web.domain.studies.study import Input, Study
from web.rows.transaction import Transaction
from web.services.prompts import pointers

AT = datetime(2026, 3, 1, 9, 0, 0, 123456, tzinfo=UTC)
THERE = datetime(2026, 3, 1, 3, 30, tzinfo=timezone(-timedelta(hours=5, minutes=30)))
OTHER = ParameterSpace(
    parameters={
        "exposure": FloatParameter(low=-1, high=1, default=0),
        "radius": IntParameter(low=0, high=2**40, default=3),
        "contrast": CategoryParameter(choices=("soft", "hard"), default="soft"),
        "curve": CategoryParameter(choices=("", "=1+1"), default=""),
    }
)
# The last is of no space any more, and the numbers of one that was whole are real.
POINTS: tuple[dict[str, float | int | str], ...] = (
    {"exposure": 0.25, "contrast": 1.1},
    {"exposure": 0, "contrast": 0.7},
    {"exposure": -1.0, "radius": 2**40, "contrast": "hard", "curve": "=1+1"},
    {"exposure": 1e-300, "radius": 0, "contrast": "soft", "curve": ""},
    {"grain": 7, "gone": 2.5, "huge": 10**17, "said": "a,\"b\"\n'c'"},
    {"gone": 2},
)
ANSWERS: tuple[dict[str, Any], ...] = (
    {"score": 5.0, "tags": ("too_dark", "hazy"), "comment": '=HYPERLINK("x"), "quoted"\nand äöü 😀'},
    {"skip": "broken", "flagged": True},
    {"score": 1.0, "painted_at": THERE, "seen_ms": 2**31 - 1},
    {"score": 2.0, "comment": ""},
)
COLUMNS: dict[TableName, str] = {
    "ratings": (
        "id study_id study experiment_id kind option_id input_id input output_id generator version_id version judge_id "
        "judge_kind metric score skip comment flagged late rated_at changed_at painted_at seen_ms undone_at tags"
    ),
    "options": (
        "id study_id study experiment_id input_id input position generator version_id version seed state why output_id "
        "output_width output_height output_bytes cost_micros error expected_mean expected_low expected_high"
    ),
    "experiments": "id study_id study input_id input kind state held_for created_at changed_at closed_at",
    "inputs": (
        "id study_id study kind name content_hash media_type width height stratum related reference demo added_by "
        "created_at removed_at payload metadata held_out"
    ),
}
PARAMETERS = {
    "contrast": str,
    "curve": str,
    "exposure": float,
    "gone": float,
    "grain": int,
    "huge": float,
    "radius": int,
    "said": str,
}


def vary(world: World) -> Study:
    """Fill a world's study and a second one, which is returned, with rows of every kind."""
    rater = world.person()
    with world.parts.store.begin() as tx:
        second = replace(world.study, id=new_id(), name="Zweite, “Studie”", spaces={"other": OTHER}, revision=0)
        tx.studies.add(second)
        version = pointers.live_version(tx, world.study.prompt_key)
        candidate = tx.versions.add(replace(version, id=new_id(), number=2, name=None, sha256="", revision=0))
        for study, points in ((world.study, POINTS[:2]), (second, POINTS[2:])):
            sources = [_input(study, number) for number in range(2)]
            tx.inputs.add_all(sources)
            for number, point in enumerate(points):
                used = version if number else candidate
                option = _option(tx, sources[number % 2], used.id, point, number)
                answer = Answer(new_id(), option.id, **ANSWERS[(number + len(points)) % len(ANSWERS)])
                rating = Rating.of(answer, option, rater.user_id, AT + timedelta(minutes=number), late=number == 1)
                tx.ratings.add(replace(rating, undone_at=AT + timedelta(days=1)) if number == 2 else rating)
    return second


def _input(study: Study, number: int) -> Input:
    image = Input(new_id(), study.id, "image", f"+photo {number}", new_id(), "inputs/x", "image/jpeg", AT, 48, 32)
    text = {
        "kind": "text",
        "width": 0,
        "height": 0,
        "payload": {"question": 'ä, "?"'},
        "stratum": "night",
        "metadata": {"camera": '=1+1, "ä"'},
    }
    return replace(image, **text, demo=True, removed_at=AT) if number else image  # type: ignore[arg-type]


def _option(tx: Transaction, source: Input, version: str, point: dict[str, float | int | str], number: int) -> Option:
    experiment = Experiment(new_id(), source.study_id, source.id, "explore", "closed", AT, AT)
    tx.experiments.add(replace(experiment, closed_at=AT) if number % 2 else experiment)
    output = tx.outputs.add(Output(new_id(), new_id(), "outputs/x", "image/jpeg", 640, 480, 2**20, AT))
    failed = number == 1
    return tx.options.add(
        Option(
            id=new_id(),
            experiment_id=experiment.id,
            study_id=source.study_id,
            input_id=source.id,
            position=0,
            generator="local",
            version=version,
            point=point,
            seed=2**31 - 1,
            state="failed" if failed else "ready",
            why="explore",
            expected=None if failed else Interval(mean=3.25, low=3.0, high=4.5),
            output_id=None if failed else output.id,
            error="No memory." if failed else None,
        )
    )


def expected(world: World, table: TableName, studies: tuple[Study, ...]) -> list[dict[str, object]]:
    """Return what a table must say of studies, row by row in its order; a missing value is None."""
    with world.parts.store.read() as tx:
        said: Callable[[Transaction, Any], dict[str, Any]] = {
            "ratings": _rating,
            "options": _option_row,
            "experiments": _shown,
            "inputs": _source,
        }[table]
        order = (lambda row: (row.rated_at, row.id)) if table == "ratings" else (lambda row: row.id)
        rows = [row for study in studies for row in sorted(getattr(tx, table).all(study_id=study.id), key=order)]
        full = [{**vars(row), **_around(tx, row), **said(tx, row)} for row in rows]
    names = COLUMNS[table].split()
    parameters = _names(studies, full) if table in ("ratings", "options") else []
    kinds = PARAMETERS if "curve" in parameters else PARAMETERS | {"contrast": float}  # text of the second study alone
    return [
        {name: _missing(row.get(name)) for name in names}
        | {f"parameter.{name}": _value(row["point"].get(name), kinds[name]) for name in parameters}
        for row in full
    ]


def _names(studies: tuple[Study, ...], rows: list[dict[str, Any]]) -> list[str]:
    tuned = {name for study in studies for space in study.spaces.values() for name in space.parameters}
    return sorted(tuned.union(*(row["point"] for row in rows)))


def _missing(value: object) -> object:
    return None if value == "" else list(value) if isinstance(value, tuple) else value


def _value(value: float | int | str | None, kind: type) -> object:
    if value is None or value == "":
        return None
    return value if isinstance(value, str) else json.dumps(value) if kind is str else kind(value)


def _around(tx: Transaction, row: Any) -> dict[str, Any]:
    source = tx.inputs.get(getattr(row, "input_id", row.id))
    return {"study": tx.studies.get(row.study_id).name, "input": source.name}


def _version(tx: Transaction, key: str) -> dict[str, Any]:
    version = tx.versions.get(key)
    return {"version_id": key, "version": version.name or f"#{version.number}"}


def _rating(tx: Transaction, row: Any) -> dict[str, Any]:
    option, experiment = tx.options.get(row.option_id), tx.experiments.get(row.experiment_id)
    more = {"output_id": option.output_id, "point": option.point, "kind": experiment.kind}
    return {**more, **_version(tx, row.version)}


def _option_row(tx: Transaction, row: Any) -> dict[str, Any]:
    output = tx.outputs.get(row.output_id) if row.output_id else None
    made = {"output_width": output.width, "output_height": output.height, "output_bytes": output.size} if output else {}
    hoped = {f"expected_{end}": getattr(row.expected, end) for end in ("mean", "low", "high")} if row.expected else {}
    return {**made, **hoped, **_version(tx, row.version)}


def _shown(tx: Transaction, row: Any) -> dict[str, Any]:
    return {}


def _source(tx: Transaction, row: Any) -> dict[str, Any]:
    noted = {
        name: None if (held := getattr(row, name)) is None else json.dumps(held) for name in ("payload", "metadata")
    }
    return {"width": row.width or None, "height": row.height or None, **noted}
