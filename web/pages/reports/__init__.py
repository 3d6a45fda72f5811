"""The status page and the history."""
