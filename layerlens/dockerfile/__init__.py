"""A Dockerfile in, a better one out: what its instructions do, what changes, what order is best."""
