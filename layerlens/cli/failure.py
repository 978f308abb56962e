"""The one place where an exception becomes a line on stderr and an exit status."""

from __future__ import annotations

import sys
import traceback

from layerlens.cli.exit_code import ExitCode
from layerlens.cli.standard_streams import OutputClosed, abandon
from layerlens.errors import LayerlensError
from layerlens.report.safe_text import escape, escape_message

PREFIX = "layerlens: error: "


def report_failure(error: BaseException, *, show_traceback: bool) -> ExitCode:
    """Say on stderr what went wrong, on one line (after the traceback if it was asked for).

    A reader that closed the pipe and an interrupt from the keyboard are no errors: nothing is
    said.
    """
    if isinstance(error, OutputClosed):
        return ExitCode.DONE
    if isinstance(error, KeyboardInterrupt):
        return ExitCode.INTERRUPTED
    lines = traceback.format_exception(error) if show_traceback else []
    shown = [escape(line) for line in "".join(lines).splitlines()]
    shown.append(PREFIX + escape_message(describe(error)))
    _write_to_stderr("".join(f"{line}\n" for line in shown))
    return ExitCode.ERROR


def describe(error: BaseException) -> str:
    """The line, not yet escaped, that says what *error* means to the person who meets it."""
    match error:
        case LayerlensError():
            return str(error)
        case OSError():
            return _describe_os_error(error)
        case MemoryError():
            return "out of memory"
        case RecursionError():
            return "the input is nested too deeply to be read"
        case _:
            return (
                f"this is a bug in layerlens: {type(error).__name__}: {error}"
                " (--debug shows the traceback; please report it)"
            )


def _describe_os_error(error: OSError) -> str:
    reason = error.strerror or str(error) or type(error).__name__
    if error.filename is None:
        return reason
    name = error.filename
    shown = name.decode("utf-8", "surrogateescape") if isinstance(name, bytes) else str(name)
    return f"{shown}: {reason}"


def _write_to_stderr(text: str) -> None:
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, ValueError):
        abandon(sys.stderr)
