"""Routes of people, keys and tokens."""
