"""Commands of people and keys."""
