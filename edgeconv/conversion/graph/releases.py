"""Releases of ONNX Runtime: which opset and IR version a file gets, and what it then needs.

A release loads every opset from 7 up to its own (onnxruntime.ai/docs/reference/compatibility), so the file's demands
are a lower bound; the limits of each release are in `runtimes`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import onnx

from edgeconv.conversion.graph.runtimes import RELEASES, first_runtime
from edgeconv.errors import ConfigError

OPSET = 17
"""The newest at which tf2onnx 1.17 writes GlobalAveragePool, which can be quantized; at 18 it writes ReduceMean."""

OPSETS = range(13, 19)
"""Opsets that can be chosen.

At each of them a convnet, MobileNetV2 and V3, an LSTM with a GRU and an attention layer answered as Keras does, and
the int8 convnet as its float32; 12 cannot express weights quantized per channel. tf2onnx 1.17 refuses 19.
`onnx.version_converter` brought these models to 21, with equal answers, but nothing is gained: a runtime that loads 21
loads 17, and the file then needs ONNX Runtime 1.18 instead of 1.12. It cannot go down, from 17 to 13, at all.
"""

OLDEST, NEWEST = (1, 10), (1, 32)
"""Releases that can be named. The Node packages of 1.10, 1.11, 1.12, 1.14 and 1.16 loaded files of opset 13 to 18
exactly as `runtimes.RELEASES` says; older packages could not be had to try."""

PYTHONS = (
    ((1, 10), "3.6", "3.9"),
    ((1, 11), "3.7", "3.9"),
    ((1, 12), "3.7", "3.10"),
    ((1, 15), "3.8", "3.11"),
    ((1, 17), "3.8", "3.12"),
    ((1, 20), "3.10", "3.13"),
    ((1, 24), "3.11", "3.14"),
)
"""Releases at which the Python versions changed, with the oldest and the newest.

Read from the wheels for Linux on x86-64: `pip index versions onnxruntime --python-version 3.x --only-binary=:all:`.
"""

WEB = frozenset({*range(10, 28), 29, 30})
"""Minor versions 1.x of onnxruntime-web and onnxruntime-node: `npm view onnxruntime-web versions`."""

ANDROID = frozenset(range(18, 28))
"""Minor versions 1.x of com.microsoft.onnxruntime:onnxruntime-android in the part of mvnrepository.com's list, of 35,
that could be read; older ones exist.

iOS is not listed: the pods onnxruntime-c and onnxruntime-objc (onnxruntime.ai/docs/install) have no list of releases
that could be read. The reduced package onnxruntime-mobile, which ended with 1.18, loads `.ort` files only.
"""


@dataclass(frozen=True)
class Release:
    """A release of ONNX Runtime.

    Attributes:
        version: such as ``"1.16"``.
        opset: newest version of the standard operators that it loads.
        ir_version: newest version of the file format that it loads.
        pythons: oldest and newest Python that it has wheels for.
    """

    version: str
    opset: int
    ir_version: int
    pythons: tuple[str, str]

    @property
    def packages(self) -> str:
        """The packages of this release that are known: of Python, of JavaScript and of Android."""
        minor = _numbers(self.version)[1]
        known = [f"onnxruntime for Python {self.pythons[0]} to {self.pythons[1]}"]
        known += ["onnxruntime-web and onnxruntime-node"] if minor in WEB else []
        known += ["onnxruntime-android"] if minor in ANDROID else []
        return ", ".join(known)


@dataclass(frozen=True)
class RuntimeTarget:
    """What a file is written for.

    Attributes:
        opset: version of the standard operators that it uses.
        ir_version: version of the file format.
        oldest_runtime: the first release of ONNX Runtime that loads it.
        sentence: says that to the user, with the packages.
    """

    opset: int
    ir_version: int
    oldest_runtime: str
    sentence: str


def target(*, opset: int | None = None, min_runtime: str | None = None) -> RuntimeTarget:
    """Choose opset and IR version.

    Args:
        opset: one of `OPSETS`; None takes 17, or less where `min_runtime` loads less.
        min_runtime: the oldest ONNX Runtime that has to load the file, such as ``"1.16"``; None names none.

    Raises:
        ConfigError: the opset cannot be written, the release is not known, or it does not load the opset.

    Example:
        >>> target(min_runtime="1.11").opset
        16
    """
    wanted = None if min_runtime is None else for_runtime(min_runtime)
    if opset is not None:
        check_opset(opset)
        if wanted is not None and opset > wanted.opset:
            raise ConfigError(
                f"`opset` must be one that ONNX Runtime {wanted.version} loads, at most {wanted.opset}. "
                f"Received: {opset}. Leave `--opset` out, or name {oldest_runtime(opset, ir_version_of(opset))} or "
                "later with `--min-runtime`."
            )
    chosen = opset if opset is not None else OPSET if wanted is None else min(OPSET, wanted.opset)
    ir_version = ir_version_of(chosen)
    oldest = oldest_runtime(chosen, ir_version)
    release = wanted or for_runtime(max(oldest, "1.10", key=_numbers))
    sentence = f"Loads in ONNX Runtime {oldest} and later. {release.version} is {release.packages}."
    return RuntimeTarget(chosen, ir_version, oldest, sentence)


def loads(version: str, needed: str) -> bool:
    """Return whether a release of ONNX Runtime is at least another.

    Example:
        >>> loads("1.9.3", "1.19")
        False
    """
    return _numbers(version)[:2] >= _numbers(needed)[:2]


def for_runtime(version: str) -> Release:
    """Return what is known of a release, ``"1.16"`` or ``"1.16.3"``.

    Raises:
        ConfigError: it is not a version, or not one from 1.10 to 1.32.
    """
    known_form = re.fullmatch(r"[0-9]{1,3}\.[0-9]{1,3}(\.[0-9]{1,3})?", version)
    if not known_form or not OLDEST <= _numbers(version) <= NEWEST:
        newer = known_form and _numbers(version) > NEWEST
        advice = "Leave it out: newer releases load what older ones load." if newer else "Name one of these."
        raise ConfigError(
            f"`min_runtime` must be a release of ONNX Runtime from 1.{OLDEST[1]} to 1.{NEWEST[1]}, such as 1.16. "
            f"Received: {version!r}. {advice}"
        )
    numbers = _numbers(version)
    _, opset, ir_version = [row for row in RELEASES if _numbers(row[0]) <= numbers][-1]
    _, oldest, newest = [row for row in PYTHONS if row[0] <= numbers][-1]
    return Release(".".join(map(str, numbers)), opset, ir_version, (oldest, newest))


def oldest_runtime(opset: int, ir_version: int) -> str:
    """Return the first release that loads a file of standard operators.

    Raises:
        ConfigError: no known release does.

    Example:
        >>> oldest_runtime(17, 8)
        '1.12'
    """
    release = first_runtime(opset, ir_version)
    if release is None:
        raise ConfigError(
            f"`opset` must be one that ONNX Runtime 1.{NEWEST[1]} loads. Received: opset {opset}, IR {ir_version}. "
            f"Use {OPSET}."
        )
    return release


def ir_version_of(opset: int) -> int:
    """Return the oldest IR version that allows an opset: 7 for 13 and 14, 8 up to 18."""
    return int(onnx.helper.find_min_ir_version_for([onnx.helper.make_opsetid("", opset)]))


def check_opset(opset: int) -> None:
    """Check that files of an opset can be written.

    Raises:
        ConfigError: they cannot.
    """
    if isinstance(opset, bool) or not isinstance(opset, int) or opset not in OPSETS:
        raise ConfigError(
            f"`opset` must be a whole number from {OPSETS[0]} to {OPSETS[-1]}, which tf2onnx writes. "
            f"Received: {opset!r}. Use {OPSET}: newer runtimes load it, too."
        )


def _numbers(version: str) -> tuple[int, int]:
    major, minor = version.split(".")[:2]
    return int(major), int(minor)
