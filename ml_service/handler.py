"""The ML service as an AWS Lambda, behind a Function URL or an HTTP API: `ml_service.handler.handler`."""

from functools import cache
from typing import Any

from mangum import Mangum

from ml_service.app import create_app
from ml_service.settings import Settings


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one HTTP request; a Lambda keeps the service from its first one on."""
    return _service()(event, context)


@cache
def _service() -> Mangum:
    return Mangum(create_app(Settings()), lifespan="off")
