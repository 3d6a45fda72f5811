"""The learning half of Palate: stateless functions of the request, no database, no users, no prompts."""
