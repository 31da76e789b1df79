"""`app`: the pages, in the browser."""

import os
import socket
import subprocess
import sys
from typing import Annotated

import typer

from similarity.errors import AddressError
from similarity.paths import APP, program_folder


def _check_free(host: str, port: int) -> None:
    """Raise AddressError if the address cannot be listened at."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        raise AddressError(
            f"{host}:{port} cannot be listened at ({error.strerror or error}): choose another --port or --host."
        ) from error


def open_app(
    host: Annotated[
        str, typer.Option(help="The address to listen at; 0.0.0.0 is all of this computer's.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port to listen at.")] = 8501,
    browser: Annotated[bool, typer.Option(help="Open the browser.")] = True,
) -> None:
    """Open the app in the browser, and serve it until you press Ctrl-C."""
    _check_free(host, port)
    options = {"address": host, "port": port, "headless": str(not browser).lower()}
    command = [sys.executable, "-m", "streamlit", "run", str(program_folder() / APP)]
    command += [f"--server.{name}={value}" for name, value in options.items()]
    sys.stdout.flush()
    if os.name == "posix":
        os.execv(sys.executable, command)  # so that there is one process, which a signal reaches
    else:
        raise typer.Exit(subprocess.call(command))
