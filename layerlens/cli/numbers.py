"""Numbers as arguments."""

from __future__ import annotations

import sys
from argparse import ArgumentTypeError

from layerlens.oci.quoting import quoted


def whole_number(text: str) -> int:
    """For argparse's ``type``: no more than what can be a length, which nothing here exceeds."""
    try:
        value = int(text)
    except ValueError:  # also for thousands of digits
        raise ArgumentTypeError(f"expected a whole number, not {quoted(text)}") from None
    if abs(value) > sys.maxsize:
        raise ArgumentTypeError(f"too large: {text}")
    return value
