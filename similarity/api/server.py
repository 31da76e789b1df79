"""The web server of the API alone."""

import socket
from collections.abc import Callable

import uvicorn

from similarity.api.application import PREFIX, create_alone
from similarity.errors import AddressError
from similarity.service import header_deadline

# Connections that may wait to be accepted, and seconds that running requests have to end in.
BACKLOG, ENDING_SECONDS = 2048, 10


def run(host: str, port: int, on_listening: Callable[[str], None]) -> None:
    """Serve the API until the process is interrupted.

    Args:
        on_listening: called with the address of the API once it answers.

    Raises:
        AddressError: the address cannot be listened at.
    """
    header_deadline.close_on_slow_headers()
    header_deadline.allow_many_connections()
    config = uvicorn.Config(
        create_alone(),
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=ENDING_SECONDS,
        loop="auto",
    )
    with _listen(host, port) as listening:
        name = f"[{host}]" if ":" in host else host
        on_listening(f"http://{name}:{listening.getsockname()[1]}{PREFIX}")
        uvicorn.Server(config).run(sockets=[listening])


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.create_server((host, port), family=family, backlog=BACKLOG, reuse_port=False)
        # Connections inherit it. Without it a body waits up to 40 ms until the head before it is acknowledged.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listening
    except OSError as error:
        raise AddressError(
            f"{host}:{port} cannot be listened at ({error.strerror or error}): choose another --port or --host."
        ) from error
