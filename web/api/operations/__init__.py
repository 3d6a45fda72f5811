"""Routes for whoever looks after the server."""
