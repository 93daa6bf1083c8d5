"""An artifact answers over the network: the Open Inference Protocol, pictures, and a page to try it."""
