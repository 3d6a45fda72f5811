"""All scanners as one, and how alike texts are by rapidfuzz."""

from collections.abc import Iterator

from pluggy import PluginManager

from web.domain.prompts.hostile import Finding


class PluginScanner:
    """Asks every plugin what it finds in a text, those first that were loaded first."""

    def __init__(self, plugins: PluginManager) -> None:
        self._plugins = plugins

    def scan(self, text: str) -> Iterator[Finding]:
        """Go through what the plugins find; an error of one is raised, so that no text passes unread."""
        for found in reversed(self._plugins.hook.scan(text=text)):  # pluggy asks the last one first
            yield from found

    def likeness(self, text: str, other: str) -> float:
        """Return how alike two texts are with the words of each sorted, from 0 to 100."""
        from rapidfuzz import fuzz  # only evolution and the editor compare

        return float(fuzz.token_sort_ratio(text, other))
