"""Read-only reports of each subject."""
