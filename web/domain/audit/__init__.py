"""Words of the audit: its chain, and how people read it."""
