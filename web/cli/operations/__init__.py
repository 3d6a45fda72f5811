"""Commands for whoever looks after a place."""
