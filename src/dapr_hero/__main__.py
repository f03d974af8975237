"""The entry point `dapr-hero`, also `python -m dapr_hero`. It imports nothing that may be missing."""

import sys


def main() -> None:
    """Run the command line, or name the extra to install."""
    try:
        from dapr_hero.cli.main import main as run
    except ModuleNotFoundError as error:
        if not error.name or error.name.startswith("dapr_hero"):
            raise
        sys.exit(f"error: the package {error.name} is not installed: pip install 'dapr-hero[local]'")
    run()


if __name__ == "__main__":
    if not sys.flags.safe_path:
        # Python has put the working directory first, where any module could take the place of another.
        del sys.path[0]
    main()
