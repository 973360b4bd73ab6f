"""The nouns: what files become, and what every later stage takes and returns."""
