"""Questions answered about images: values in, values out, no I/O."""
