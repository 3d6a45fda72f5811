"""Text models: the one that speaks OpenAI's protocol, and what is wrapped round it."""
