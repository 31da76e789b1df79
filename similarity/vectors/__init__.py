"""Embeddings as arrays, in memory and on disk, with heads and refinement."""
