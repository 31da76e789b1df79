"""The face-off page: one query in galleries of different models, side by side."""
