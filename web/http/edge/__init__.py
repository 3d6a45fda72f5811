"""What every request passes: the edge, the gate, the session, protection against forgery."""
