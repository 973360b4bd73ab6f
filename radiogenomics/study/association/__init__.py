"""Image features against genes and pathways: files or a cohort → a map with its nulls."""
