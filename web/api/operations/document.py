"""The route of the OpenAPI document."""

from typing import Any

from fastapi import APIRouter, Depends, Request

from web.http.edge.session import rater

router = APIRouter(prefix="/api/v1", tags=["document"])


@router.get("/openapi.json", dependencies=[Depends(rater)])
def openapi(request: Request) -> dict[str, Any]:
    """Return this server's OpenAPI document."""
    described: dict[str, Any] = request.app.openapi()
    return described
