"""Words of A/B tests, and the evidence that decides them."""
