"""How patients called high differ from the others, and what becomes of them."""
