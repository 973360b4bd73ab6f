"""Networks that learn from patients: built, trained, explained. Needs the extra ``deep``."""
