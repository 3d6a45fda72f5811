"""Pages of people and their ways in."""
