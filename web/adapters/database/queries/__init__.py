"""Named queries of each subject, in SQL."""
