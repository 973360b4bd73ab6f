"""Studies that predict an outcome or a class from images and clinic: recipe to evidence."""
