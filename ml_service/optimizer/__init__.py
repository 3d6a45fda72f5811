"""What to try next and what was learnt: the model of ratings, and functions of a request."""
