"""BUNDLE_NAME: BUNDLE_PURPOSE.

from BUNDLE_ASSETS import Model

model = Model()
print(model.predict("BUNDLE_EXAMPLE"))
"""

from .answers import Answer, answer_of
from .contract import BundleError, InputError
from .selftest import Report, selftest
from .session import Model

__all__ = [
    "Answer",
    "BundleError",
    "InputError",
    "Model",
    "Report",
    "answer_of",
    "selftest",
]
