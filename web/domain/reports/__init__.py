"""What reports answer."""
