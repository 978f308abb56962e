"""Every error layerlens raises on purpose; the command turns each into one line and exit 2.

LayerlensError
├── UsageError            the request itself makes no sense
├── NotFound              no such file, image, layer or path
├── AmbiguousImage        several images or platforms, and none was chosen
├── UnsupportedInput      understood, and not something layerlens reads
│   └── MissingCodec      readable with an optional extra that is not installed
├── RegistryError         a registry did not give what it was asked for
│   ├── AccessDenied          it wants credentials, or others, or gives nobody access
│   └── RegistryUnavailable   it can't be reached, hangs, fails or has asked to be left alone
└── MalformedInput        the bytes break a spec, or lie
    ├── DigestMismatch    bytes that do not hash to the digest they were named by
    ├── SizeMismatch      more or fewer bytes than a descriptor or header said
    └── LimitExceeded     a bound against hostile input was reached
"""


class LayerlensError(Exception):
    """Base of all; ``str(error)`` is one line that says what is wrong and where."""


class UsageError(LayerlensError):
    """The request itself makes no sense: a malformed reference, an impossible range."""


class NotFound(LayerlensError):
    """A file, image, layer or path that does not exist was asked for."""


class AmbiguousImage(LayerlensError):
    """A command needs one image and the source holds several; the message lists them.

    ``images``: ``@N`` and the names of each image of an archive; ``platforms``: of an index. One
    of them is empty, and both are where something else than an image is to be chosen.
    """

    def __init__(
        self,
        message: str,
        *,
        images: tuple[tuple[str, str], ...] = (),
        platforms: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message)
        self.images = images
        self.platforms = platforms


class UnsupportedInput(LayerlensError):
    """The input is understood to be something that layerlens does not read."""


class MissingCodec(UnsupportedInput):
    """The compression needs an optional extra; the message names it."""


class RegistryError(LayerlensError):
    """A registry refuses, or answers against the protocol; the message has no secrets in it."""


class AccessDenied(RegistryError):
    """The registry wants credentials, did not take those it got, or gives nobody access."""


class RegistryUnavailable(RegistryError):
    """The registry can't be reached, hangs, fails or limits the rate; later it may answer."""


class MalformedInput(LayerlensError):
    """Bytes from an image break the specification they claim to follow."""


class DigestMismatch(MalformedInput):
    """Bytes do not hash to the digest that names them."""


class SizeMismatch(MalformedInput):
    """There are more or fewer bytes than a descriptor or a header declared."""


class LimitExceeded(MalformedInput):
    """A bound that protects against hostile input was reached."""
