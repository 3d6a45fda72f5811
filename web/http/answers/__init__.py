"""What answers carry: problems and images; and what forms send."""
