"""Serving: the guarded web server, its visitors, and models, galleries and pictures cached for all of them."""
