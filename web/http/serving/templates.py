"""Pages from Jinja2 templates, escaped; a name that was not given is an error, except those that every page has."""

import re
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from web.domain import day
from web.domain.access import Actor
from web.domain.ids import is_id
from web.http.answers.lists import OFFERED, offered, part
from web.http.edge.csrf import csrf_token
from web.http.serving.static import HashedFiles

# Attributes that hold addresses: templates write these from the root, as if there were no path before it.
ADDRESSES = ("href", "src", "action", "formaction", "hx-post", "data-events", "data-script", "data-worker")
_ADDRESS = re.compile(rf'(\s(?:{"|".join(ADDRESSES)})=")/(?!/)')


class Pages:
    """The templates of one app; each knows `static(name)` and `training_enabled`."""

    def __init__(self, folder: Path, static: HashedFiles, base: str, *, training_enabled: bool) -> None:
        self.base = base
        self.environment = Environment(
            loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )
        self.environment.filters["offered"] = offered
        self.environment.globals.update(most_offered=OFFERED)
        self.environment.globals.update(static=static.url, training_enabled=training_enabled, flash="", error="")

    def below_base(self, markup: str) -> str:
        """Put the addresses in markup below the path of PUBLIC_URL; escaped text has no quotes that look like these."""
        return _ADDRESS.sub(rf"\g<1>{self.base}/", markup) if self.base else markup


def page(
    request: Request, name: str, *, actor: Actor | None = None, active: str = "", code: int = 200, **values: Any
) -> HTMLResponse:
    """Render a template with `actor`, `csrf_token`, `active` (the place in the navigation) and the values given.

    The study that the address names stays in that of every place of the navigation that has one.

    `part` gives it the rows of a long list that the request asks for, `there` a moment by the clock of whoever looks.
    """
    pages: Pages = request.app.state.pages
    study = request.query_params.get("study") or str(request.path_params.get("study_id", ""))
    shared = {
        "actor": actor,
        "csrf_token": csrf_token(request),
        "active": active,
        "same_study": urlencode({"study": study}) if is_id(study) else "",
        "part": partial(part, request),
        "there": partial(day.there, zone=actor.time_zone if actor else "UTC"),
    }
    return HTMLResponse(pages.below_base(pages.environment.get_template(name).render(**shared, **values)), code)
