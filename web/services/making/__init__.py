"""Making outputs of what is planned."""
