"""BUNDLE_NAME on a Triton server: BUNDLE_PURPOSE.

python client.py FILE...                       one JSON row each
python client.py --selftest [FILE] [--rows]    does the server answer as it should?

The server is at localhost:8000, or where --url says.
"""

import argparse
import sys

from BUNDLE_ASSETS import Server
from BUNDLE_ASSETS.command import add_arguments, run


def main() -> int:
    """Run the command line; return its exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add_arguments(parser)
    parser.add_argument("--url", default="localhost:8000", help="host and port of HTTP")
    options = parser.parse_args()
    return run(parser, options, lambda: Server(options.url))


if __name__ == "__main__":
    sys.exit(main())
