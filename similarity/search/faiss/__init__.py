"""Indexes of FAISS, and exact search beside them."""
