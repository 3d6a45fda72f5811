import json
from typing import Any

import pytest
from pydantic import ValidationError

from ml_service.wire.contract import (
    WIRE_VERSION,
    DiagnoseRequest,
    Diagnosis,
    ParameterSpace,
    Pending,
    Question,
    SuggestRequest,
    digest,
)
from tests.unit.ml.histories import BOWL, MIXED, random_history

NOTHING: dict[str, Any] = {
    "best": None,
    "convergence": None,
    "parameters": {},
    "raters": [],
    "variance": None,
    "ratings_used": 0,
    "history": "",
}


@pytest.mark.parametrize("kind", [SuggestRequest, DiagnoseRequest])
def test_of_several_spaces_a_request_names_the_one_it_asks_about(kind: type[Question]) -> None:
    spaces = {"near": BOWL, "far": MIXED}
    assert kind(spaces={"near": BOWL}).asked == "near"
    assert kind(spaces=spaces, generator="far").asked == "far"
    with pytest.raises(ValidationError, match="say in `generator` which of near, far is asked about"):
        kind(spaces=spaces)
    with pytest.raises(ValidationError, match="`generator` is 'sea', which has no space here; name one of near, far"):
        kind(spaces=spaces, generator="sea")
    with pytest.raises(ValidationError, match="at most 16 items"):
        kind(spaces={f"generator {n}": BOWL for n in range(17)}, generator="generator 0")


@pytest.mark.parametrize("wire", [WIRE_VERSION - 1, WIRE_VERSION + 1, str(WIRE_VERSION)])
def test_a_diagnosis_of_another_wire_is_not_read(wire: object) -> None:
    assert Diagnosis.model_validate(NOTHING).wire == WIRE_VERSION
    with pytest.raises(ValidationError, match="speaks wire"):
        Diagnosis.model_validate_json(json.dumps(NOTHING | {"wire": wire}))


def test_equal_requests_have_one_digest_and_others_another() -> None:
    seen = tuple(random_history(3))
    asked = SuggestRequest(spaces={"local": BOWL}, seen=seen, pending=(pending({"x": 0.5, "y": 1.0}),))
    turned = ParameterSpace(parameters=dict(reversed(BOWL.parameters.items())))
    same = SuggestRequest(spaces={"local": turned}, seen=seen, pending=(pending({"y": 1.0, "x": 0.5}),))
    assert digest(same) == digest(asked)
    changes: list[dict[str, Any]] = [
        {"seen": seen[:2]},
        {"seen": (), "earlier": seen},
        {"seen": (*seen[:2], seen[2].model_copy(update={"rater": "dan"}))},
        {"pending": (pending({"x": 0.5, "y": 0.9}),)},
        {"seed": 1},
        {"exploration": 2.0},
        {"spaces": {"other": BOWL}},
    ]
    assert len({digest(asked), *(digest(asked.model_copy(update=change)) for change in changes)}) == len(changes) + 1


def pending(point: dict[str, Any]) -> Pending:
    return Pending(point=point, generator="local", item="photo-1")
