"""What services need from outside, as protocols; adapters satisfy them."""
