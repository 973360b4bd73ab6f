"""What a locked score says beside its discrimination: survival, response, subgroups, patients."""
