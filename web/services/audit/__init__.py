"""The audit chain: written in one place, checked in another."""
