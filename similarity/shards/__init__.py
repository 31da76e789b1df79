"""Embeddings in bulk: a list of pictures cut into chunks, each of which becomes a Parquet file of its own, a shard.

    embeddings.json                    what embedded them and, once all are there, which shards there are
    shard-000017-3f6c….parquet         one chunk's pictures with their vectors; its name says which, see `chunks`
    shard-000017-3f6c….parquet.new     one that is being written, or was when somebody pulled the plug

A shard is there whole or not at all, and a chunk whose shard is there is done: so a run that was interrupted goes on
where it stopped, and one whose list has changed embeds the chunks that have. `run` makes shards, in this process or
through `distributed` in many; `worker` is the code that either has done; `gathering` makes a gallery of shards.
"""
