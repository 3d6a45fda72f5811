"""Routes of raters and of what is asked about them."""
