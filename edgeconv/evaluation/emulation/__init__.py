"""Other processors, emulated: a model's int8 answers as a device without VNNI, or an ARM board, computes them.

devices --> emulator --> stages --> the parity ledger

devices    which processors, and what Linux says of them     emulator   QEMU and a Python that runs on the device
stages     a variant on a device, as a row of the ledger     worker     what runs on the device: the runtime room itself

Answers mean something there, times do not.
"""
