"""The map page: a gallery as points, those that look alike near each other."""
