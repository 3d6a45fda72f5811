"""Words of prompts: versions, templates, what differs between them, and the gates they pass."""
