"""Pages of evolution."""
