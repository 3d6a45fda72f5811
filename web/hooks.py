"""The door for plugins: what a module may bring, and how those are loaded that the settings name.

Built-in parts come in by the same door. A plugin is a Python module whose functions are marked with `implements` and
named as one of `Hooks`; it runs inside Palate, with all of Palate's rights.
"""

from collections.abc import Iterable
from importlib import import_module
from types import ModuleType
from typing import Protocol

import pluggy

from ml_service.errors import InvalidRequest
from web.domain.prompts.hostile import Finding
from web.ports.making import Generator

implements = pluggy.HookimplMarker("palate")
_specified = pluggy.HookspecMarker("palate")


class Hooks(Protocol):
    """What a plugin may implement; each may be left out."""

    @_specified
    def scan(self, text: str) -> Iterable[Finding]:
        """Find what may not pass in a text of a prompt, or in a comment before a model is shown it."""
        ...

    @_specified
    def generators(self) -> Iterable[Generator]:
        """Bring generators, each with a name of its own, that studies can be made for."""
        ...


def load(names: Iterable[str]) -> pluggy.PluginManager:
    """Load modules by name, and no others; InvalidRequest where one is missing or implements what is no hook."""
    plugins = pluggy.PluginManager("palate")
    plugins.add_hookspecs(Hooks)
    try:
        for name in dict.fromkeys(names):
            plugins.register(_module(name), name)
        plugins.check_pending()
    except pluggy.PluginValidationError as error:
        raise InvalidRequest(f"PLUGINS: {error}; what a plugin may implement stands in the reference.") from error
    return plugins


def _module(name: str) -> ModuleType:
    try:
        return import_module(name)
    except ImportError as error:
        raise InvalidRequest(f"PLUGINS: {name} cannot be loaded: {error}.") from error


def generators_of(plugins: pluggy.PluginManager) -> dict[str, Generator]:
    """Return the generators of all plugins by name; InvalidRequest where two have the same."""
    found = [one for brought in reversed(plugins.hook.generators()) for one in brought]
    made = {one.name: one for one in found}
    if len(made) < len(found):
        raise InvalidRequest(f"PLUGINS: two generators have the same name, of {', '.join(one.name for one in found)}.")
    return made
