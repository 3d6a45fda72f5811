"""What ratings say together: scores, agreement, conduct. The only words that compute with scipy."""
