"""Pages of prompts and drafts."""
