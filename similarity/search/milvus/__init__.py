"""Vectors in a collection of Milvus: the `VectorIndex` contract on a cluster, a server, or a file of Milvus Lite.

addresses    the addresses that may be connected to
installation a record of these, and of the galleries that were made here, outside of all galleries
client       the connection to the server, and its errors
collection   a collection: creating, filling, searching and dropping it
conditions   filters in Milvus's own language
index        the `VectorIndex` contract
index_types  the types of Milvus indexes, by recipe
keys         the keys of vectors
ledger       the collections that a gallery has made, so that none is left behind
ownership    the collections that are a gallery's own

Milvus only finds candidates; their scores are computed here from the embeddings in the gallery's folder, as with FAISS.
So both engines give the same scores, except for rounding, and the same order of equal ones.
"""
