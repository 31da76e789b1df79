"""`mcp`: a server for the user's own assistant, over standard input and output."""


def mcp() -> None:
    """Let an assistant list and search the galleries of this computer, by the Model Context Protocol; read only."""
    from similarity.assistants.server import run

    run()
