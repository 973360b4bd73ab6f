"""What goes with what: many columns against many, sets of columns, and two tables as wholes."""
