"""Routes that answer with JSON: parse, call a service, return."""
