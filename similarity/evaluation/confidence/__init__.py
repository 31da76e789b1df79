"""How sure a result is, calibrated on a gallery's own labels."""
