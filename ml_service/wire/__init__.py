"""What goes over the wire: requests and answers, their parameters, tables and JSON schema."""
