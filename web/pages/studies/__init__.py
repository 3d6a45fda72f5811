"""Pages of studies and their guides."""
