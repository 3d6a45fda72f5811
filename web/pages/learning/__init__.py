"""What was learnt, in charts and sentences."""
