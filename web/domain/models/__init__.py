"""Words of text models: which can be chosen, and what their calls cost."""
