"""Two classes: ROC, thresholds, calibration, net benefit, reclassification."""
