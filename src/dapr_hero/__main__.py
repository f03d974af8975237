"""`python -m dapr_hero`: the command line."""

import sys

if __name__ == "__main__":
    if not sys.flags.safe_path:
        # Python has put the working directory first, where any module could take the place of another.
        del sys.path[0]
    from dapr_hero.cli import main

    main()
