"""Queries of studies, experiments and the objects they need."""
