from __future__ import annotations

import pytest

from edgeconv.conversion.int8 import targets
from edgeconv.conversion.int8.targets import REFUSED, TARGETS, scheme_of
from edgeconv.errors import ConfigError


@pytest.mark.parametrize(
    ("name", "activations", "reduced", "symmetric", "levels"),
    [
        ("x86", "uint8", False, False, (0, 255)),
        ("x86-avx2", "uint8", True, False, (0, 255)),
        ("arm64", "int8", False, False, (-128, 127)),
        ("web", "uint8", False, False, (0, 255)),
        ("tensorrt", "int8", False, True, (-127, 127)),
        ("qnn", "uint8", False, False, (0, 255)),
    ],
)
def test_each_target_has_its_scheme(
    name: str, activations: str, reduced: bool, symmetric: bool, levels: tuple[int, int]
) -> None:
    row = scheme_of(name)
    assert (row.target, row.activation_type, row.weight_type) == (name, activations, "int8")
    assert (row.reduce_range, row.activation_symmetric, row.levels) == (reduced, symmetric, levels)
    assert row.per_channel
    assert row.weight_symmetric
    assert len(row.source) > 40


def test_every_target_is_in_the_test_above() -> None:
    assert set(TARGETS) == {"x86", "x86-avx2", "arm64", "web", "tensorrt", "qnn"}


@pytest.mark.parametrize(
    ("machine", "overflows", "name"),
    [("x86_64", True, "x86-avx2"), ("AMD64", False, "x86"), ("aarch64", False, "arm64"), ("arm64", False, "arm64")],
)
def test_auto_is_this_machine(machine: str, overflows: bool, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets.platform, "machine", lambda: machine)
    monkeypatch.setattr(targets, "int8_overflows", lambda: overflows)
    assert scheme_of("auto").target == name


def test_auto_on_another_processor_asks_for_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets.platform, "machine", lambda: "riscv64")
    with pytest.raises(ConfigError, match=r"requires an x86 or an arm64 processor\. Received: 'riscv64'"):
        scheme_of("auto")


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_where_int8_cannot_win_it_is_refused_with_an_alternative(name: str) -> None:
    with pytest.raises(
        ConfigError, match=rf"must be one that int8 is faster on. Received: '{name}': .*--fp16"
    ) as error:
        scheme_of(name)
    assert "\n" not in str(error.value)


def test_an_unknown_target_is_refused() -> None:
    with pytest.raises(
        ConfigError, match=r"one of auto, x86, x86-avx2, arm64, web, tensorrt, qnn\. Received: 'toaster'"
    ):
        scheme_of("toaster")
