"""`python -m aboveboard`: the command line."""

from aboveboard.cli import main

main()
