"""The composition root: the one place that chooses the adapters that an app, a worker or a command works with."""

from datetime import timedelta
from typing import TYPE_CHECKING

from ml_service.objects.local import Folder
from web.adapters.database.store import SqlStore
from web.adapters.generators import built_in
from web.adapters.generators.atonce import AtOnce
from web.adapters.later import later
from web.adapters.models.build import text_model
from web.adapters.scanners import phones, secrets
from web.adapters.scanners.scanner import PluginScanner
from web.domain.rating.gold import DEGRADED
from web.hooks import generators_of, load
from web.ports.learning import Optimizer
from web.ports.parts import Parts
from web.services.making.money import Budget
from web.settings import Settings

if TYPE_CHECKING:
    from web.adapters.fetching import GuardedFetcher
    from web.adapters.generators.degraded import DegradedCopies
    from web.adapters.images.cleaner import Cleaner
    from web.adapters.passwords import Argon2

BUILT_IN = tuple(module.__name__ for module in (built_in, secrets, phones))


def build_parts(settings: Settings) -> Parts:
    """Choose the parts that the settings ask for; those that are costly to import are made when they are first used."""
    plugins = load((*BUILT_IN, *settings.plugins))
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    store = SqlStore.open(settings.database_url)
    clock = store.engines.clock
    return Parts(
        store=store,
        objects=Folder(settings.data_dir / "objects"),
        published=Folder(settings.prompts_dir),
        generators=generators_of(plugins),
        optimizer=later(lambda: _optimizer(settings)),
        cleaner=later(_cleaner),
        clock=clock,
        passwords=later(_passwords),
        scanner=PluginScanner(plugins),
        retention=timedelta(days=settings.retention_days) if settings.retention_days else None,
        degrader=AtOnce(later(_degraded_copies, name=DEGRADED)),
        fetcher=later(_fetcher),
        text_model=text_model(settings, Budget(store, clock, settings.text_model_budget_micros)),
    )


# OpenCV, Pillow, SciPy and an HTTP client are most of what a start costs, and few processes use all of them.


def _degraded_copies() -> "DegradedCopies":
    from web.adapters.generators.degraded import DegradedCopies

    return DegradedCopies()


def _cleaner() -> "Cleaner":
    from web.adapters.images.cleaner import Cleaner

    return Cleaner()


def _fetcher() -> "GuardedFetcher":
    from web.adapters.fetching import GuardedFetcher

    return GuardedFetcher()


def _passwords() -> "Argon2":
    from web.adapters.passwords import Argon2

    return Argon2()


def _optimizer(settings: Settings) -> Optimizer:
    if settings.ml_service_url and settings.ml_service_token:
        from web.adapters.optimizer.far import FarOptimizer

        return FarOptimizer(settings.ml_service_url, settings.ml_service_token.get_secret_value())
    from web.adapters.optimizer.near import NearOptimizer

    return NearOptimizer()
