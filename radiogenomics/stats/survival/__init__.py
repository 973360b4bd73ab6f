"""Time to an event: hazards, curves, concordance, accuracy over time, competing risks."""
