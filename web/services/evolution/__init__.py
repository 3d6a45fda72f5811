"""Evolution: rounds that propose better versions, and what they go by."""
