"""Vectors of anybody's making, in the files of other programs, as galleries."""
