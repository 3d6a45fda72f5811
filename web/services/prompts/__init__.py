"""Prompts: what is live, versions and drafts, publication and the road to production."""
