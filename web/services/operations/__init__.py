"""Looking after the whole: checks, erasure, and what arrives from elsewhere."""
