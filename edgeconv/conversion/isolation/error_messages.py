"""Errors between processes, as JSON: whatever a hostile model had a hand in becomes an error of ours, or is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import edgeconv.errors as ours
from edgeconv.errors import EdgeconvError, ParityError


def error_as_dict(error: EdgeconvError | OSError) -> dict[str, Any]:
    """Return an error of ours or of the system as a JSON object."""
    if isinstance(error, OSError):
        return {"errno": error.errno, "message": error.strerror or str(error), "file": error.filename}
    value = {"class": type(error).__name__, "message": str(error)}
    if isinstance(error, ParityError) and error.ledger is not None:
        value["ledger"] = error.ledger.as_dict()
    return value


def error_from_dict(value: Mapping[str, Any]) -> EdgeconvError | OSError:
    """Return the error that `error_as_dict` was given.

    Raises:
        TypeError, ValueError: it is none.
        ArtifactError: its ledger is none.
    """
    name, message = value.get("class"), str(value.get("message"))
    if name is None:
        number, file = value.get("errno"), value.get("file")
        if number is None:
            return OSError(message)
        # OSError itself takes the subclass of its number, such as FileNotFoundError.
        return OSError(int(number), message, None if file is None else str(file))
    found = getattr(ours, str(name), None)
    if not (isinstance(found, type) and issubclass(found, EdgeconvError)):
        raise ValueError(f"{name} is no error of edgeconv's")
    if found is ParityError and value.get("ledger") is not None:
        from edgeconv.parity.ledger import Ledger

        return ParityError(message, Ledger.from_dict(value["ledger"]))
    return found(message)
