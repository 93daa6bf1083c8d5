"""Other processors, emulated: a model's int8 answers as a device without VNNI, or an ARM board, computes them.

devices --> emulator --> stages --> the parity ledger

devices    which processors, and what Linux says of them     commands   a program run, its failure told in one line
emulator   QEMU and a Python that runs on the device         debian     packages of another architecture, unpacked
root       the ARM Python with ONNX Runtime, kept in a cache worker     what runs on the device: the runtime room itself
stages     a variant on a device, as a row of the ledger

Answers mean something there, times do not.
"""
