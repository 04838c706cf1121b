"""One pass over the samples, and what is summed or stored on the way."""
