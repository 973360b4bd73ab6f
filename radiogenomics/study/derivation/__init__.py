"""From cohorts with expression and survival to a locked signature and the evidence for it."""
