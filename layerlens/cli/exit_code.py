"""What the command's exit status says."""

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit statuses of every command; there are no others."""

    DONE = 0
    """Done, or no difference found."""
    DIFFERENT = 1
    """Differences found (with ``--exit-code``), a rule failed, or some of many things that were
    asked for could not be read, and were listed."""
    ERROR = 2
    """Usage, unreadable input, a registry: one line on stderr says which."""
    INTERRUPTED = 130
    """Interrupted from the keyboard."""
