"""Embeddings in bulk: a list of pictures cut into chunks, each of which becomes a Parquet file of its own, a shard.

    embeddings.json                    the model and, once the folder is complete, the list of shards
    shard-000017-3f6c….parquet         the pictures of a chunk with their vectors; for its name see `chunks`
    shard-000017-3f6c….parquet.new     a shard that is being written, or whose writing was interrupted

A shard exists whole or not at all, and a chunk with a shard is done: an interrupted run resumes where it stopped, and
a run with a changed list embeds the changed chunks only. `run` makes shards in this process, or with `ray` in several;
`worker` is the code that both run; `to_gallery` makes a gallery from shards.
"""
