"""`python -m dapr_hero`: the command line."""

from dapr_hero.cli import main

if __name__ == "__main__":
    main()
