"""`python -m similarity`, and the command `similarity`."""

import sys


def main() -> None:
    """Run the command line. Ctrl-C while it is still being imported ends it as one later does: without a traceback."""
    try:
        from similarity.cli import main as run

        run()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
