"""The shipped model held on execution providers that run without their hardware, each in an environment of its own."""
