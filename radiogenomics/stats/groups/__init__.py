"""Groups of patients held against each other: tests and standardised differences."""
