"""The product of one simulated run of evolution: real services on SQLite, with a first prompt that has a mistake."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
from pydantic import SecretStr

from benchmarks.evolution_taste import SPACE, Painter, Taste
from benchmarks.pairs import PEOPLE
from ml_service.wire.contract import DiagnoseRequest, Diagnosis, Proposal, Suggestion, SuggestRequest
from tests.clock import FixedClock
from tests.world import World, make_parts, photo
from web.adapters.database.store import SqlStore
from web.adapters.generators.atonce import AtOnce
from web.adapters.models.build import text_model
from web.domain.access import Actor, Role
from web.domain.accounts import Membership, User
from web.domain.ids import new_id
from web.domain.prompts.prompt import DEFAULT_KEY, PromptVersion, Variable, as_file, to_bytes
from web.domain.studies.study import Project, Shares, Study
from web.ports.making import CleanImage
from web.ports.models import TextModel
from web.ports.parts import Parts
from web.services.evolution.proposing import SYSTEM_PROMPT
from web.services.making.money import Budget
from web.services.prompts import adoption
from web.services.studies import intake
from web.services.studies.studies import StudyDraft, make_study
from web.settings import Settings

PHOTOS = 24
KINDS = ("rooms", "gardens")
# While a test is open, raters rate its pairs; what is between tests is learnt from samples of what is live.
SHARES = Shares(ab=1, explore=0, gold=0, repeat=0, overlap=0)


class Aimless:
    """An optimizer that tries parameters at random and learns nothing: words are what is tested here."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng([seed, 2])

    def suggest(self, request: SuggestRequest) -> Suggestion:
        """Propose points at random."""
        points = [{"strength": round(float(self.random.uniform(-1, 1)), 3)} for _ in range(request.count)]
        made = tuple(Proposal(generator=request.asked, point=point, why="explore") for point in points)
        return Suggestion(proposals=made, ratings_used=0, history="none")

    def diagnose(self, request: DiagnoseRequest) -> Diagnosis:
        """Tell nothing."""
        return Diagnosis(
            best=None, convergence=None, parameters={}, raters=(), variance=None, ratings_used=0, history="none"
        )


def evolving_world(store: SqlStore, folder: Path, taste: Taste, seed: int, url: str) -> tuple[World, list[Actor]]:
    """Return a product whose live prompt is the first of a taste, a text model at an address, and its raters."""
    clock = FixedClock()
    parts = make_parts(store, clock, folder)
    parts = replace(parts, generators={"local": AtOnce(Painter())}, optimizer=Aimless(seed), degrader=None)
    parts = replace(parts, text_model=_model(store, clock, url))
    _write_first(parts, taste, clock.now())
    project = Project(new_id(), "Evolution", clock.now())
    with store.begin() as tx:
        tx.projects.add(project)
    adoption.adopt(parts, project.id)
    admin = _member(parts, project.id, "admin")
    study = make_study(parts, admin, StudyDraft("Evolution", {"local": SPACE}, calibration=0, seed=seed))
    with store.begin() as tx:
        study = tx.studies.replace(replace(tx.studies.get(study.id), shares=SHARES))
    for at in range(PHOTOS):
        _add_photo(parts, study, 1000 * seed + at)
    return World(parts, clock, admin, study), [_member(parts, project.id, "rater") for _ in range(PEOPLE)]


def _model(store: SqlStore, clock: FixedClock, url: str) -> TextModel | None:
    told = {"text_model": "scripted", "text_model_base_url": url, "text_model_price": (0.1, 0.4)}
    settings = Settings(_env_file=None, openai_api_key=SecretStr("sk-none"), **told)  # type: ignore[arg-type]
    return text_model(settings, Budget(store, clock, settings.text_model_budget_micros))


def _write_first(parts: Parts, taste: Taste, now: datetime) -> None:
    texts = {"local": {"prompt": taste.first, "negative_prompt": "added objects, watermarks"}}
    first = PromptVersion("", DEFAULT_KEY, 1, "v1.0.0", texts, now, "benchmark", {"subject": Variable(default="it")})
    body = to_bytes(as_file(replace(first, status="released", changelog="The first version."), ()))
    for name in ("v1.0.0", "current"):
        parts.published.create(f"versions/{name}.json", body)
    parts.published.create(SYSTEM_PROMPT, (Path("prompts") / SYSTEM_PROMPT).read_bytes())


def _add_photo(parts: Parts, study: Study, seed: int) -> None:
    image = CleanImage(photo(seed, 16), "image/jpeg", 16, 16)
    incoming = intake.store_image(parts, study, f"photo {seed}", image, stratum=KINDS[seed % len(KINDS)])
    with parts.store.begin() as tx:
        intake.present_or_added(tx, parts, study, incoming)


def _member(parts: Parts, project_id: str, role: Role) -> Actor:
    now = parts.clock.now()
    user = User(new_id(), f"{new_id()}@example.org", now)
    with parts.store.begin() as tx:
        tx.users.add(user)
        tx.memberships.add(Membership(new_id(), project_id, user.id, role, now))
    return Actor(user.id, user.email, project_id, role)
