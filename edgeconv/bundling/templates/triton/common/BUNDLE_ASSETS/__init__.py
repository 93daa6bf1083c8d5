"""BUNDLE_NAME on a Triton server: BUNDLE_PURPOSE.

from BUNDLE_ASSETS import Server

server = Server("localhost:8000")
print(server.predict("BUNDLE_EXAMPLE"))
"""

from .answers import Answer, answer_of
from .contract import BundleError, InputError
from .selftest import Report, selftest
from .server import Server

__all__ = [
    "Answer",
    "BundleError",
    "InputError",
    "Report",
    "Server",
    "answer_of",
    "selftest",
]
