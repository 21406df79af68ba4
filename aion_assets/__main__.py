"""`python -m aion_assets` is `aion`."""

from aion_assets.cli import main

main()
