"""A/B tests: pairs, verdicts, and what is done about them."""
