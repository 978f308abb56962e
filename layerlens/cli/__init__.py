"""The command: one module a command, loaded only when it is the one that was asked for."""
