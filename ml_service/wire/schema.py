"""The JSON schema of the wire."""

from typing import Any

from pydantic.json_schema import models_json_schema

from ml_service.wire.contract import WIRE_VERSION, DiagnoseRequest, Diagnosis, Suggestion, SuggestRequest


def schema() -> dict[str, Any]:
    """Return what may be asked and what is answered, each by its name under `$defs`."""
    _, definitions = models_json_schema(
        [
            (SuggestRequest, "validation"),
            (DiagnoseRequest, "validation"),
            (Suggestion, "serialization"),
            (Diagnosis, "serialization"),
        ],
        title=f"The wire of the ML service of Palate, version {WIRE_VERSION}",
    )
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | definitions
