"""Later work: which function does a job, and the worker that claims, runs and retries."""
