"""Image features that foretell molecules: virtual biopsies, locked for patients without RNA."""
