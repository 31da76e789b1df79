"""Embeddings as arrays, in memory and on disk, and what is done with them before they are compared."""
