"""The rating page, and pages of raters."""
