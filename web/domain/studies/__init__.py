"""Words of studies: what is being learnt, from which inputs, shown how, and until when."""
