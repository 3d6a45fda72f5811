"""The most that a question to a text model can use."""

from pydantic_core import to_json

from web.ports.models import TextRequest

IMAGE_TOKENS = 3_000  # of one image in low detail, by the provider that counts most for it
FRAME_TOKENS = 200  # that providers put round messages and schemas


def tokens_in_at_most(request: TextRequest) -> int:
    """Return how many tokens a question cannot exceed: none is shorter than a byte."""
    words = request.system.encode() + request.user.encode() + to_json(dict(request.schema))
    return len(words) + IMAGE_TOKENS * len(request.images) + FRAME_TOKENS
