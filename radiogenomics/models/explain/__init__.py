"""Explanations: what each feature adds to the score of a patient, and to the model's worth."""
