"""What works on this machine: ONNX Runtime, its providers, the processor, memory and folders, each with its remedy."""
