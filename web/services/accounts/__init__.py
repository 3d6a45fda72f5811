"""Who comes in, and how: people, passwords, sessions, links, keys."""
