"""The optimizer, near or far."""
