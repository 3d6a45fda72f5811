"""Pages of A/B tests."""
