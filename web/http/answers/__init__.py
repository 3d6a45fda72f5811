"""What answers carry: problems and images."""
