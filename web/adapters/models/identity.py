"""What makes two requests the same question."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from pydantic_core import to_json

from web.domain.models.usage import Choice
from web.ports.models import TextRequest


def request_hash(choice: Choice, request: TextRequest) -> str:
    """Return what tells a request from all others of all models; what the model is not told is left out."""
    told: Mapping[str, Any] = {
        "place": choice.provider.base_url,
        "model": choice.model,
        "system": request.system,
        "user": request.user,
        "schema": to_json(dict(request.schema)).decode(),
        "schema_name": request.schema_name,
        "most_tokens": request.most_tokens,
        "seed": request.seed,
        "temperature": request.temperature,
        "images": [sha256(image).hexdigest() for image in request.images],
    }
    return sha256(to_json(told)).hexdigest()
