"""Confidence: probabilities that results are right, calibrated on a gallery's own labels."""
