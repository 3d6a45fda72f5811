"""Text models by protocol, with what wraps them."""
