"""What touches the world: the database, files, generators, the other half of Palate."""
