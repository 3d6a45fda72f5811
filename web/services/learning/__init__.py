"""Learning: what the optimizer is asked, what is planned next, and when enough was learnt."""
