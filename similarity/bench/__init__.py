"""Benchmarks: how fast this computer embeds and searches, each compared within one run.

A benchmark works in a SIMILARITY_HOME of its own that is gone afterwards. Speed does not depend on what a network's
weights are, so one whose weights are not on this computer is measured with random ones, and the report says so.
"""
