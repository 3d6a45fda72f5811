"""What joins, counts or claims: named queries by subject."""
