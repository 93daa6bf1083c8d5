"""Models in memory: opened, believed once they reproduce their golden vectors, fed in batches, replaced."""
