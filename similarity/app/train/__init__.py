"""The train page: teach a gallery what its labels mean, see what that is worth, and keep it or not."""
