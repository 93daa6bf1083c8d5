"""The description of the server's addresses, held against the server by schemathesis."""

from __future__ import annotations

from typing import Any

import pytest

from tests.serving.running import Server

schemathesis = pytest.importorskip("schemathesis", reason="pip install 'edgeconv[dev]'")

EXAMPLES = 3
"""Requests of each address and kind; more find more, and take longer: `make fuzz` is for that."""

STATEFUL = ("/load", "/unload")
"""What changes the server for the other tests; `test_triton_http` has it."""


def test_the_server_is_as_described(server: Server) -> None:
    """Requests made from the description, of every address: each answer has a status, a type and a form as described.

    Not that every one is accepted: what a picture must show, and that a tensor has the shape of its model, is in no
    schema.
    """
    from hypothesis import HealthCheck, Phase, given, settings

    checks = pytest.importorskip("schemathesis.specs.openapi.checks")
    schema = schemathesis.openapi.from_dict(server.ask("/openapi.json").json)
    seen: set[tuple[str, str]] = set()
    for result in schema.get_all_operations():
        operation = result.ok()
        if operation.path.endswith(STATEFUL):
            continue
        seen.add((operation.method.upper(), operation.path))

        @given(case=operation.as_strategy())
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def hold(case: Any) -> None:
            case.call_and_validate(base_url=server.url, excluded_checks=[checks.positive_data_acceptance])

        hold()
    assert len(seen) == 16, seen
    assert ("POST", "/v2/models/{model}/infer") in seen


def test_every_address_is_described(server: Server) -> None:
    from edgeconv.serving.app import Application
    from edgeconv.serving.config import ServeConfig

    described = server.ask("/openapi.json").json["paths"]
    router: Any = Application(ServeConfig())._router
    routes = {route.path for route in router.routes if not route.path.startswith("/ui") and route.path != "/"}
    assert routes == set(described)
