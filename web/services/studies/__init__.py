"""Studies: what is learnt from which inputs, and the objects that belong to them."""
