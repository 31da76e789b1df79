"""Benchmarks: how fast this computer embeds and searches, each compared within one run.

A benchmark has a temporary SIMILARITY_HOME of its own. Speed does not depend on the values of weights, so a network
without weights on this computer is measured with random ones, and the report says so.
"""
