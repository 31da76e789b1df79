"""The face-off page: one query, and what galleries of different models find for it, side by side."""
