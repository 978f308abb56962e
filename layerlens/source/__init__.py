"""Where images come from; the only room that opens image files or sockets."""
