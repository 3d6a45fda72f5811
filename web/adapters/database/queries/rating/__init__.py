"""Queries of leases, turns, ratings, and the raters who give them."""
