"""Tell that an error is fit to print, whatever text it is about."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from layerlens.errors import LayerlensError


@contextmanager
def refusal(kind: type[LayerlensError], *facts: str) -> Iterator[None]:
    """Expect exactly this kind of error, in one short printable line that tells the facts."""
    with pytest.raises(LayerlensError) as caught:
        yield
    assert type(caught.value) is kind, str(caught.value)
    _check_message(str(caught.value), facts)


@contextmanager
def refusal_at_most(kind: type[LayerlensError], *facts: str) -> Iterator[None]:
    """Expect no error, or one of this kind or below it, fit to print as above."""
    try:
        yield
    except kind as error:
        _check_message(str(error), facts)


def _check_message(message: str, facts: tuple[str, ...]) -> None:
    assert message.isprintable(), ascii(message)
    assert len(message) < 400
    for fact in facts:
        assert fact in message
