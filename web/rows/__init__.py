"""What services ask of the database, as protocols: a subject's collections and named queries in each module."""
