"""The web app: its routers, its edge, and the one error handler."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Event
from typing import Any

from anyio.to_thread import current_default_thread_limiter
from fastapi import APIRouter, Depends, FastAPI, Request
from starlette.types import ASGIApp

from ml_service.errors import InvalidRequest, NotFound
from web.api import abtests as abtests_api
from web.api import audit as audit_api
from web.api import evolution as evolution_api
from web.api.accounts import auth
from web.api.accounts import keys as keys_api
from web.api.accounts import token as token_api
from web.api.operations import document, health
from web.api.operations import erasure as erasure_api
from web.api.operations import jobs as jobs_api
from web.api.prompts import feedback as feedback_api
from web.api.prompts import promotions as promotions_api
from web.api.prompts import prompts as prompts_api
from web.api.rating import choosing, train
from web.api.rating import enrolments as enrolments_api
from web.api.rating import guide as guide_api
from web.api.rating import opinions as opinions_api
from web.api.rating import raters as raters_api
from web.api.reports import history as history_api
from web.api.reports import status as status_api
from web.api.reports import tables as tables_api
from web.api.studies import assigning as assigning_api
from web.api.studies import media
from web.api.studies import photos as photos_api
from web.api.studies import studies as studies_api
from web.http.answers.images import ImageUrls
from web.http.edge.csrf import refuse_forgery
from web.http.edge.edge import Edge
from web.http.edge.front import Front, refuse_foreign_host
from web.http.edge.gate import Gate
from web.http.edge.metrics import Metrics
from web.http.edge.roles import routes_of
from web.http.edge.session import Context
from web.http.serving.sending import Downloads
from web.http.serving.static import HashedFiles
from web.http.serving.templates import Pages
from web.http.wire.errors import handle_errors
from web.http.wire.openapi import document as describe
from web.http.wire.wellformed import refuse_malformed
from web.pages import audit
from web.pages.abtests import abtests
from web.pages.accounts import account, keys, people, sign_in
from web.pages.evolution import evolution
from web.pages.operations import erasure, jobs
from web.pages.prompts import drafts, prompts
from web.pages.rating import raters
from web.pages.rating import train as train_page
from web.pages.reports import comparing, history, status
from web.pages.studies import assigning, guide, photos, studies
from web.ports.parts import Parts
from web.settings import Settings

# Routes are tried in this order, so what is asked most comes first.
ROUTERS: tuple[APIRouter, ...] = (
    train.router,
    choosing.router,
    guide_api.router,
    health.router,
    auth.router,
    token_api.router,
    keys_api.router,
    sign_in.router,
    account.router,
    people.router,
    keys.router,
    train_page.router,
    media.router,
    status_api.router,
    history_api.router,
    tables_api.router,
    opinions_api.router,
    prompts_api.router,
    feedback_api.router,
    promotions_api.router,
    evolution_api.router,
    abtests_api.router,
    studies_api.router,
    photos_api.router,
    assigning_api.router,
    enrolments_api.router,
    raters_api.router,
    jobs_api.router,
    audit_api.router,
    erasure_api.router,
    document.router,
    status.router,
    history.router,
    raters.router,
    comparing.router,
    studies.router,
    photos.router,
    assigning.router,
    guide.router,
    jobs.router,
    audit.router,
    erasure.router,
    drafts.router,
    prompts.router,
    abtests.router,
    evolution.router,
)
PAGES = Path(__file__).parent / "pages"
MOST_BYTES = 1_000_000
# Python runs one thread at a time: more of them only take turns, and the loop that accepts requests waits longer.
THREADS = 4
TRAINING = ("/train", "/api/train", "/api/enhance/train")


class WebApp(FastAPI):
    """An app whose edge lies outside of everything, so that failures pass it too."""

    def build_middleware_stack(self) -> ASGIApp:
        """Put the edge, the front and the gate around what the framework builds."""
        inner = Gate(super().build_middleware_stack())
        return Edge(Front(inner, self.state.context.settings), self.state.metrics)

    def openapi(self) -> dict[str, Any]:
        """Return the document of this app, made once."""
        if self.openapi_schema is None:
            self.openapi_schema = describe(self, self.state.context.settings.public_url or "/")
        return self.openapi_schema


def create_app(parts: Parts, settings: Settings, key: bytes, ending: Event | None = None) -> WebApp:
    """Build the app from its parts and its signing key; a body may have 1 MB unless its route says otherwise.

    Once `ending` is set, no answer waits for anything any more.
    """
    guards = [Depends(refuse_foreign_host), Depends(refuse_forgery), Depends(refuse_malformed)]
    if not settings.enable_training_mode:
        guards.insert(0, Depends(_closed))
    app = WebApp(
        title="Palate",
        dependencies=guards,
        openapi_url=None,
        max_body_size=MOST_BYTES,
        redirect_slashes=False,
        lifespan=_few_threads,
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    static = HashedFiles(PAGES / "static")
    app.state.context = Context(parts, settings, key, ImageUrls(key, settings.base), ending or Event())
    app.state.metrics = Metrics(parts)
    app.state.downloads = Downloads()
    app.state.static = static
    app.state.pages = Pages(PAGES / "templates", static, settings.base, training_enabled=settings.enable_training_mode)
    handle_errors(app)
    for router in ROUTERS:
        app.include_router(router)
    app.mount("/static", static)
    _refuse_own_place(app, settings.base)
    return app


def _refuse_own_place(app: FastAPI, base: str) -> None:
    """Refuse a base that is a place of Palate's own: whether a path begins with the base could not be told."""
    places = {"/static", *(str(context.path_format) for context in routes_of(app))}
    if base and any(f"{place}/".startswith(f"{base}/") for place in places):
        raise InvalidRequest(f"PUBLIC_URL: its path {base} is a place of Palate's own; put Palate below another one.")


@asynccontextmanager
async def _few_threads(_: FastAPI) -> AsyncIterator[None]:
    current_default_thread_limiter().total_tokens = THREADS
    yield


async def _closed(request: Request) -> None:
    path = request.url.path
    if any(path == place or path.startswith(f"{place}/") for place in TRAINING):
        raise NotFound("Rating is switched off on this server (ENABLE_TRAINING_MODE).")
