"""Commands of what is live, and of applying it."""
