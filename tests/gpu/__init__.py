"""The ledger and the times of a model on a real GPU, for whoever has one: `make gpu`, `make gpu-webgpu`."""
