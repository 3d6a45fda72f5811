"""Routes of prompts, promotions and feedback."""
