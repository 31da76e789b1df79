"""The galleries page: what there is, and what is done with it in the background."""
