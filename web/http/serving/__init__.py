"""How a process serves: its server, static files, templates, logs, metrics, and the roles of routes."""
