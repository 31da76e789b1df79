"""Answers to searches with everything that is known of the hits: the same for the command line and the HTTP API."""
