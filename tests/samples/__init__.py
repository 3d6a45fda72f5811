"""Some ninety small picture files in every mode and encoding that browsers show, made here, and what Chromium shows."""
