"""The commands: one module for each group; `web.__main__` hands them what they run."""
