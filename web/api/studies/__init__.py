"""Routes of studies and their images."""
