"""The train page: train a head on a gallery, see how much better it searches, and keep it or not."""
