"""Words of rating: ratings, leases, whose turn it is, and how raters stand."""
