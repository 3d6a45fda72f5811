"""The tables: one for each word of the domain that is stored, with the customer's names where they gave any."""

from web.adapters.database.tables.assigning import assignments, panel_members, panels
from web.adapters.database.tables.base import metadata
from web.adapters.database.tables.completions import completions
from web.adapters.database.tables.evolution import ab_pairs, ab_tests, evolution_rounds
from web.adapters.database.tables.people import (
    api_keys,
    attempts,
    audit_events,
    links,
    memberships,
    passwords,
    projects,
    sessions,
    users,
)
from web.adapters.database.tables.photos import batch_items, batches, saved_filters, sweeps
from web.adapters.database.tables.prompts import feedback, prompt_pointers, prompt_versions, prompts
from web.adapters.database.tables.studies import diagnoses, inputs, studies
from web.adapters.database.tables.training import (
    enrolments,
    exclusions,
    experiments,
    gold_items,
    leases,
    options,
    outputs,
    ratings,
    tombstones,
)
from web.adapters.database.tables.work import jobs, ordinal_checks

__all__ = [
    "ab_pairs",
    "ab_tests",
    "api_keys",
    "assignments",
    "attempts",
    "audit_events",
    "batch_items",
    "batches",
    "completions",
    "diagnoses",
    "enrolments",
    "evolution_rounds",
    "exclusions",
    "experiments",
    "feedback",
    "gold_items",
    "inputs",
    "jobs",
    "leases",
    "links",
    "memberships",
    "metadata",
    "options",
    "ordinal_checks",
    "outputs",
    "panel_members",
    "panels",
    "passwords",
    "projects",
    "prompt_pointers",
    "prompt_versions",
    "prompts",
    "ratings",
    "saved_filters",
    "sessions",
    "studies",
    "sweeps",
    "tombstones",
    "users",
]
