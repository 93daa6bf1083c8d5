"""BUNDLE_NAME: BUNDLE_PURPOSE.

python predict.py FILE...                       one JSON row each
python predict.py --selftest [FILE] [--rows]    does it answer here as it should?
"""

import argparse
import sys

from BUNDLE_ASSETS import Model
from BUNDLE_ASSETS.command import add_arguments, run


def main() -> int:
    """Run the command line; return its exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add_arguments(parser)
    return run(parser, parser.parse_args(), Model)


if __name__ == "__main__":
    sys.exit(main())
