"""`python -m similarity`."""

from similarity.cli import main

main()
