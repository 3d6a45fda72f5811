"""A study or a whole project as one file: taken out at one moment, and brought into any database."""
