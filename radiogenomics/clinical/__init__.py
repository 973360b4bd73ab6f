"""What clinicians compute by hand: response criteria and liver scores, one patient at a time.

Functions, not estimators: no number here needs another patient.
"""
