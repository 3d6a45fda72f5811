"""The place that commands work on: its database and its objects, made ready as far as a command needs."""

from collections.abc import Iterable, Iterator, Sequence

from ml_service.errors import Conflict
from web.adapters.database.archive.writing import Place
from web.adapters.database.migrate import is_current, migrate
from web.adapters.database.store import SqlStore
from web.cli.command import Desk, progress
from web.ports.making import CleanImage
from web.ports.parts import Parts
from web.services.accounts import accounts
from web.services.prompts import adoption, publication
from web.services.studies import intake
from web.services.studies.demo import DemoImage, seed_demo
from web.settings import Settings


def empty_place(desk: Desk) -> Place:
    """Return the place that the settings name, whatever its database holds."""
    return Place(SqlStore.open(desk.settings().database_url), desk.parts().objects, intake.view_key)


def place(desk: Desk) -> Place:
    """Return the place that the settings name; Conflict where its database has not the newest schema."""
    if not is_current(desk.settings().database_url):
        raise Conflict("The database has not the newest schema; run `python -m web migrate` first.")
    return empty_place(desk)


def make_tables(settings: Settings) -> None:
    """Bring the database to the newest schema; the folder of the data is made where it is missing."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    migrate(settings.database_url)


def ready(settings: Settings, parts: Parts) -> str | None:
    """Ready the database and the published files; return the secret of a first sign-in link until somebody came in."""
    migrate(settings.database_url)
    secret = accounts.bootstrap(parts, settings.training_admin_emails)
    adoption.adopt(parts, accounts.operator(parts).project_id)
    publication.reconcile(parts)
    return secret


def ready_with_demo(settings: Settings, parts: Parts) -> str | None:
    """Ready all that serving needs: as `ready` does, and with a demo study where there is none yet."""
    secret = ready(settings, parts)
    seed_demo(parts, accounts.operator(parts), _demo_images())
    return secret


def _demo_images() -> Iterator[DemoImage]:
    # Only a first start makes them, and what makes them takes seconds to import.
    from web.adapters.demo.inputs import demo_inputs

    for demo in demo_inputs():  # one by one: all of them take seconds
        image = CleanImage(demo.body, "image/jpeg", demo.width, demo.height)
        yield DemoImage(demo.name, image, demo.stratum, demo.group)


def watch(keys: Sequence[str]) -> Iterable[str]:
    """Go through images, showing on a terminal how many are done."""
    return progress(keys, "images", len(keys))
