"""What runs at the customer's: the client that production copies."""
