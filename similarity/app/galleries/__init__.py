"""The galleries page: the galleries, and the background jobs that change them."""
