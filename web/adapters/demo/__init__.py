"""What a first start shows: inputs that were made, and raters who are simulated."""
