"""Pages from Jinja2 templates, escaped; a name that was not given is an error, except those that every page has."""

from functools import partial
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from web.domain import day
from web.domain.access import Actor
from web.http.edge.csrf import csrf_token
from web.http.serving.static import HashedFiles


class Pages:
    """The templates of one app; each knows `static(name)` and `training_enabled`."""

    def __init__(self, folder: Path, static: HashedFiles, *, training_enabled: bool) -> None:
        self.environment = Environment(
            loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )
        self.environment.globals.update(static=static.url, training_enabled=training_enabled, flash="", error="")


def page(
    request: Request, name: str, *, actor: Actor | None = None, active: str = "", code: int = 200, **values: Any
) -> HTMLResponse:
    """Render a template with `actor`, `csrf_token`, `active` (the place in the navigation) and the values given.

    Times are shown as the clock of whoever looks shows them: `there(moment)` tells.
    """
    pages: Pages = request.app.state.pages
    zone = actor.time_zone if actor else "UTC"
    text = pages.environment.get_template(name).render(
        actor=actor, csrf_token=csrf_token(request), active=active, there=partial(day.there, zone=zone), **values
    )
    return HTMLResponse(text, code)
