"""The laptop root: `python -m web …` on SQLite and local files, or on what the settings name."""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path

from pydantic import SecretStr

from ml_service import app as ml_app
from ml_service import settings as ml_settings
from ml_service.errors import Conflict, InvalidRequest, ServiceError
from ml_service.objects.local import Folder
from web.adapters.database.archive.writing import Place
from web.adapters.database.migrate import is_current, migrate
from web.adapters.database.reports.reports import SqlReports
from web.adapters.database.store import SqlStore
from web.adapters.demo.inputs import demo_inputs
from web.adapters.demo.raters import demo_look
from web.adapters.generators import built_in
from web.adapters.generators.atonce import AtOnce
from web.adapters.generators.degraded import DegradedCopies
from web.adapters.generators.local import LocalGenerator
from web.adapters.images.cleaner import Cleaner
from web.adapters.models.build import text_model
from web.adapters.optimizer.far import FarOptimizer
from web.adapters.optimizer.near import NearOptimizer
from web.adapters.passwords import Argon2
from web.adapters.scanners import phones, secrets
from web.adapters.scanners.scanner import PluginScanner
from web.adapters.system import SystemClock
from web.app import create_app
from web.cli.abtests import abtests_command
from web.cli.accounts.keys import key_command
from web.cli.accounts.people import user_command
from web.cli.command import Command
from web.cli.evolution import evolve_command
from web.cli.operations.backup import backup_command, restore_command
from web.cli.operations.data import Desk, export_command, import_command
from web.cli.operations.doctor import doctor_command
from web.cli.operations.erase import erase_command
from web.cli.operations.reference import Section, reference_command, render, sections
from web.cli.operations.serve import migrate_command, serve_command, work_command
from web.cli.operations.simulate import simulate_command
from web.cli.operations.verify import verify_command
from web.cli.prompts.enhance import enhance_command
from web.cli.prompts.promotion import promote_command, rollback_command
from web.hooks import generators_of, load
from web.http.edge.logs import log_json
from web.http.serving.server import listen
from web.jobs.worker import run_workers
from web.ports.learning import Optimizer
from web.ports.making import CleanImage
from web.ports.parts import Parts
from web.services.accounts import accounts
from web.services.making.money import Budget
from web.services.prompts import adoption, publication
from web.services.studies import intake
from web.services.studies.demo import DemoImage, seed_demo
from web.settings import Settings, load_settings
from web.settings.key import signing_key

EXIT_FAILED = 1
EXIT_MISUSED = 2
BUILT_IN = tuple(module.__name__ for module in (built_in, secrets, phones))


def build_parts(settings: Settings) -> Parts:
    """Choose the parts that the settings ask for."""
    plugins = load((*BUILT_IN, *settings.plugins))
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    store, clock = SqlStore.open(settings.database_url), SystemClock()
    return Parts(
        store=store,
        objects=Folder(settings.data_dir / "objects"),
        published=Folder(settings.prompts_dir),
        generators=generators_of(plugins),
        optimizer=_optimizer(settings),
        cleaner=Cleaner(),
        clock=clock,
        reports=SqlReports(store),
        passwords=Argon2(),
        scanner=PluginScanner(plugins),
        retention=timedelta(days=settings.retention_days) if settings.retention_days else None,
        degrader=AtOnce(DegradedCopies()),
        text_model=text_model(settings, Budget(store, clock, settings.text_model_budget_micros)),
    )


def _optimizer(settings: Settings) -> Optimizer:
    if settings.ml_service_url and settings.ml_service_token:
        return FarOptimizer(settings.ml_service_url, settings.ml_service_token.get_secret_value())
    return NearOptimizer()


def ready(settings: Settings, parts: Parts) -> str | None:
    """Ready the database and the published files; return the secret of a first sign-in link until somebody came in."""
    migrate(settings.database_url)
    secret = accounts.bootstrap(parts, settings.training_admin_emails)
    adoption.adopt(parts, accounts.operator(parts).project_id)
    publication.reconcile(parts)
    return secret


def prepare(settings: Settings, parts: Parts, port: int) -> list[str]:
    """Ready the database for serving and return the lines that tell a newcomer where to go."""
    secret = ready(settings, parts)
    seed_demo(parts, accounts.operator(parts), _demo_images())
    lines = [f"Palate is at {_address(port)}/train"]
    if secret is not None:
        lines.append(f"Sign in as the first admin, once, with {_address(port)}/link/{secret}")
    return lines


def _demo_images() -> Iterator[DemoImage]:
    for demo in demo_inputs():  # made one by one, and only where there is no study yet: all of them take seconds
        image = CleanImage(demo.body, "image/jpeg", demo.width, demo.height)
        yield DemoImage(demo.name, image, demo.stratum, demo.group)


def _address(port: int) -> str:
    return f"http://localhost:{port}"


def commands(settings: Settings) -> list[Command]:
    """Return the commands, handed what they run."""
    parts = cache(lambda: build_parts(settings))

    def make_tables() -> None:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        migrate(settings.database_url)

    def empty_place() -> Place:
        return Place(SqlStore.open(settings.database_url), parts().objects, intake.view_key)

    def place() -> Place:
        if not is_current(settings.database_url):
            raise Conflict("The database has not the newest schema; run `python -m web migrate` first.")
        return empty_place()

    desk = Desk(parts, place, make_tables, lambda: ready(settings, parts()))

    def serve(host: str, port: int) -> None:
        log_json()
        listen(create_app(parts(), settings, signing_key(settings)), host, port)

    return [
        serve_command(lambda port: prepare(settings, parts(), port), serve, settings.port),
        work_command(lambda stop, threads: run_workers(parts(), stop, threads)),
        migrate_command(make_tables),
        simulate_command(parts, demo_look, _address(settings.port)),
        promote_command(parts),
        rollback_command(parts),
        evolve_command(parts),
        abtests_command(parts),
        enhance_command(parts, Cleaner, lambda: LocalGenerator(max_side=None), settings.prompts_dir),
        user_command(parts, lambda secret: f"{_address(settings.port)}/link/{secret}"),
        key_command(parts),
        erase_command(parts),
        export_command(desk),
        import_command(desk),
        backup_command(place),
        restore_command(parts, empty_place),
        verify_command(parts, lambda: signing_key(settings)),
        doctor_command(load_settings, parts, is_current),
        reference_command(lambda: render(documented())),
    ]


def documented() -> list[Section]:
    """Gather what docs/reference.md says, from an app that nobody uses and settings that nobody made."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.model_construct(data_dir=Path(folder), database_url=f"sqlite:///{folder}/palate.db")
        migrate(settings.database_url)
        app = create_app(build_parts(settings), settings, b"")
        ml = ml_app.create_app(ml_settings.Settings.model_construct(ml_service_token=SecretStr("")))
        return sections(app, ml, commands(settings), app.state.metrics.registry)


def main(words: list[str] | None = None) -> int:
    """Run one command; exit code 0 done, 1 failed, 2 misused."""
    settings, fault = Settings.model_construct(), None
    try:
        settings = load_settings()
    except InvalidRequest as error:
        fault = error
    parser = argparse.ArgumentParser("python -m web", description="Palate learns what people like from their ratings.")
    groups = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in commands(settings):
        sub = groups.add_parser(command.name, help=command.help, description=f"{command.help.capitalize()}.")
        sub.add_argument("--json", action="store_true", help="print JSON for machines")
        command.arguments(sub)
        sub.set_defaults(run=command.run, needs_settings=command.needs_settings)
    arguments = parser.parse_args(words)
    if fault is not None and arguments.needs_settings:
        print(fault, file=sys.stderr)
        return EXIT_MISUSED
    try:
        return int(arguments.run(arguments))
    except ServiceError as error:
        print(f"{error.title()} {error}", file=sys.stderr)
        return EXIT_FAILED


if __name__ == "__main__":
    sys.exit(main())
