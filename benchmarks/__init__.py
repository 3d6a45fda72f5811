"""Speed, memory and learning, measured: one module for each question."""
