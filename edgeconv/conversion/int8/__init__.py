"""From the fp32 graph to int8: the target's arithmetic, images streamed, ranges measured, Q and DQ put in."""
