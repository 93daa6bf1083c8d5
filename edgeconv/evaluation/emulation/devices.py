"""The devices that can be emulated, and what Linux says of their processors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from edgeconv.errors import ConfigError

X86, ARM = "x86_64", "aarch64"
ALL = "all"


@dataclass(frozen=True)
class Device:
    """A processor that QEMU emulates.

    Attributes:
        name: as users call it.
        title: for people.
        architecture: `X86` or `ARM`.
        cpu: QEMU's name of the processor.
        board: what Linux calls the board; empty for a PC.
        facts: of each core, as `/proc/cpuinfo` lists them.
        cores: of the processor.
    """

    name: str
    title: str
    architecture: str
    cpu: str
    board: str
    facts: Mapping[str, str]
    cores: int

    def disguise(self, folder: Path) -> None:
        """Write what programs read of the processor, `proc/cpuinfo` and the board's name, into a folder.

        QEMU emulates instructions, not these files: a program would read those of the machine that emulates. Our own
        runtime chooses its int8 arithmetic by them; ONNX Runtime 1.28 and later crash on an ARM that claims to be an
        x86.
        """
        cores = ("".join(f"{key}\t: {value}\n" for key, value in self._core(number)) for number in range(self.cores))
        (folder / "proc").mkdir()
        (folder / "proc" / "cpuinfo").write_text("\n".join(cores) + "\n", encoding="ascii")
        if self.board:
            (folder / "proc" / "device-tree").mkdir()
            (folder / "proc" / "device-tree" / "model").write_text(f"{self.board}\0", encoding="ascii")

    def _core(self, number: int) -> Iterable[tuple[str, str]]:
        return (("processor", str(number)), *self.facts.items())


def _arm(part: str, revision: str, features: str) -> dict[str, str]:
    """Return the facts of a core designed by ARM; its number is in the manual, under the register MIDR_EL1."""
    return {
        "BogoMIPS": "108.00",
        "Features": features,
        "CPU implementer": "0x41",
        "CPU architecture": "8",
        "CPU variant": f"0x{revision[1]}",
        "CPU part": part,
        "CPU revision": revision[3],
    }


DEVICES: Mapping[str, Device] = {
    device.name: device
    for device in (
        Device(
            name="pi4",
            title="Raspberry Pi 4 (Cortex-A72, without dot products)",
            architecture=ARM,
            cpu="cortex-a72",
            board="Raspberry Pi 4 Model B",
            facts=_arm("0xd08", "r0p3", "fp asimd evtstrm crc32 cpuid"),
            cores=4,
        ),
        Device(
            name="pi5",
            title="Raspberry Pi 5 (Cortex-A76, with dot products)",
            architecture=ARM,
            cpu="cortex-a76",
            board="Raspberry Pi 5 Model B",
            facts=_arm(
                "0xd0b",
                "r4p1",
                "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp",
            ),
            cores=4,
        ),
        Device(
            name="avx2",
            title="x86 with AVX2 and without VNNI (Haswell)",
            architecture=X86,
            cpu="Haswell",
            board="",
            facts={
                "vendor_id": "GenuineIntel",
                "model name": "Intel Core Processor (Haswell)",
                "flags": "fpu cx8 cmov mmx fxsr sse sse2 ssse3 fma cx16 sse4_1 sse4_2 movbe popcnt aes xsave avx f16c "
                "rdrand lm abm bmi1 avx2 bmi2",
            },
            cores=4,
        ),
    )
}
"""By name, with what Linux prints on such machines."""


def devices_named(names: Iterable[str]) -> tuple[Device, ...]:
    """Return devices by their names, each once; ``"all"`` stands for each of them.

    Raises:
        ConfigError: there is no such device.

    Example:
        >>> [device.cpu for device in devices_named(["pi5", "avx2"])]
        ['cortex-a76', 'Haswell']
    """
    asked = list(names)
    for name in asked:
        if name not in {*DEVICES, ALL}:
            raise ConfigError(f"`emulate` must be one of {', '.join([*DEVICES, ALL])}. Received: {name!r}.")
    wanted = dict.fromkeys(each for name in asked for each in (DEVICES if name == ALL else (name,)))
    return tuple(DEVICES[name] for name in wanted)
