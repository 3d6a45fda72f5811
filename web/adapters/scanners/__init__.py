"""Scanners of texts, one module for each library; a library is loaded by the first text that needs it."""
