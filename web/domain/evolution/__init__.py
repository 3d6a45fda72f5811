"""Words of evolution: rounds, operators, edits, and the scripted evolver."""
