"""Images from outside, and how pictures are compared and spoilt."""
