"""How many patients a prediction model needs."""
