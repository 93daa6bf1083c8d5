"""Instructions that a call of a model takes on an emulated ARM processor, where no device is at hand to time it."""
