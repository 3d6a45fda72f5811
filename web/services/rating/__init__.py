"""Rating: whose turn it is, what raters answer, how they are checked and paid."""
