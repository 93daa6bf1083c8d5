"""From the fp32 graph to int8: the target's scheme, images streamed, ranges measured, Q and DQ put in."""
