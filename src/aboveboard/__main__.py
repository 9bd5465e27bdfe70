"""`python -m aboveboard`: the command line."""

import sys

if not sys.flags.safe_path:
    # Python puts the current folder first, which may be a stranger's: nothing is imported from it.
    del sys.path[0]

from aboveboard.start import main

if __name__ == "__main__":
    main()
