"""Vectors in a collection of Milvus: the `VectorIndex` contract on a cluster, a server, or a file of Milvus Lite.

addresses    which addresses are connected to
installation what is known of them, and of the galleries that were made here, outside of all galleries
client       reaching the server, and what its errors mean
collection   one collection: made, filled, asked, emptied, dropped
conditions   which pictures are asked for, in Milvus's own language
index        the contract
notes        which collections a gallery has made, so that none is left behind
ownership    which collections are a gallery's own, and nobody else's

Milvus only finds candidates; their scores are computed here, of the embeddings in the gallery's folder, as those of
FAISS are. So both engines give the same scores, but for rounding, and order equal ones alike.
"""
