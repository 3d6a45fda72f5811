"""Pages of jobs and erasure."""
