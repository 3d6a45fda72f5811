"""Routes of status and history."""
