"""The commands: one module each, which is imported when it is asked for; `web.__main__` hands them a desk."""
