"""What the status and the history tell."""
