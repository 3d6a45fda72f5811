"""The use cases: one function each, given its ports; leaving its `with` commits, before any answer exists."""
