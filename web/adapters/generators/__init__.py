"""Generators: what makes an output from a source, each behind `web.ports.making.Generator`."""
