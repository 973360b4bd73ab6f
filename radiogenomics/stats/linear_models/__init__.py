"""Solvers of penalised linear models: elastic-net paths and support vector machines."""
