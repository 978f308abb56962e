"""What a registry says of a failure, as far as it is fit for a message."""

from __future__ import annotations

from layerlens.errors import LayerlensError
from layerlens.oci.json_fields import parse_object
from layerlens.oci.quoting import printable
from layerlens.source.registry.answer import Answer

_LONGEST = 200


def registry_message(answer: Answer) -> str:
    """``: MANIFEST_UNKNOWN: manifest unknown`` of the first error (distribution spec, 'Error
    Codes'); empty where there is none. The answer's body is used up by this."""
    data = answer.start()
    try:
        errors = parse_object(data, "error").objects("errors")
        if not errors:
            return ""
        code = errors[0].optional_string("code")
        message = errors[0].optional_string("message")
    except LayerlensError:
        return ""
    parts = [printable(part[:_LONGEST]) for part in (code, message) if part]
    # A server may repeat what it was sent.
    if any(word in part.lower() for part in parts for word in ("bearer ", "basic ")):
        return ""
    return "".join(f": {part}" for part in parts)
