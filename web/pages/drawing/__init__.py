"""What pages draw with: charts, rows, bars, and texts of prompts."""
