"""What gates measure a candidate against that is known outside the prompt: providers' limits, and earlier refusals."""

from collections.abc import Mapping
from dataclasses import replace

from web.domain.prompts.gates import Gauge
from web.domain.prompts.prompt import PromptVersion
from web.ports.parts import Parts
from web.rows.evolution import EvolutionRows


def limits(parts: Parts, version: PromptVersion) -> Mapping[str, Mapping[str, int]]:
    """Return how many characters the generators of a version take, by generator and slot."""
    present = version.components.keys() & parts.generators.keys()
    return {name: parts.generators[name].limits() for name in sorted(present)}


def with_memory(tx: EvolutionRows, parts: Parts, gauge: Gauge) -> Gauge:
    """Return a gauge with the limits of providers, and with what gates refused in earlier rounds of the prompt."""
    parent = gauge.parent
    earlier = [one for past in tx.rounds.all(prompt_key=parent.prompt_key) for one in past.proposed if one.digest]
    refused = {one.digest: one.gate for one in earlier}
    return replace(gauge, limits=limits(parts, parent), refused=refused)
