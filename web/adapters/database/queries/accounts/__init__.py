"""Queries of people, and of what they typed."""
