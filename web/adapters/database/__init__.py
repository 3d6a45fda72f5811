"""The database: tables, queries, reports, archives, and the store over SQLite or Postgres."""
