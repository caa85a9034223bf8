"""Read what a form says about itself and about its parts: one spelling each, and no other.

Browsers write these lines in exactly one way (HTML Standard, 4.10.21.8), so every other way is somebody's
attempt to be read differently by two parsers. RFC 7578, 4.2 forbids `filename*`; nothing here decodes it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from hardening.form_rules import FormLimits, FormTooLargeError, MalformedFormError, UnsupportedFormError

URLENCODED = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"
_CONTENT_TYPE_CHARACTERS = 256
_NAME_BYTES = 256

# RFC 2046, 5.1.1: 1 to 70 characters, not ending in a space; outside quotes only those of a token.
_BOUNDARY = re.compile(
    r"""[ \t]*boundary=(?:"([0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-])"|([0-9A-Za-z'+_.-]{1,70}))[ \t]*""",
    re.IGNORECASE,
)
_CHARSET = re.compile(r"[ \t]*charset=\"?utf-8\"?[ \t]*", re.IGNORECASE)
# HTML Standard: inside the quotes a quote is %22, so the next quote ends the value and a backslash means itself.
_DISPOSITION = re.compile(rb'form-data; ?name="([^"]*)"(?:; ?filename="([^"]*)")?', re.IGNORECASE)
_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_MEDIA_TYPE = re.compile(rb"(" + _TOKEN + rb"/" + _TOKEN + rb")[ \t]*(?:;[\t -~]*)?")
_DEFAULT_MEDIA_TYPE = "text/plain"
_PLAIN_ENCODINGS = frozenset({b"7bit", b"8bit", b"binary"})


@dataclass(frozen=True, slots=True)
class PartHead:
    """What a part says about itself; invalid UTF-8 in it has become U+FFFD."""

    name: str
    filename: str | None
    """As it was sent, so never a path for us; None for a text field, empty when no file was chosen."""
    media_type: str
    """As the sender declares it, in lower case and without parameters."""


def declared_type(headers: Iterable[tuple[bytes, bytes]], limits: FormLimits) -> str:
    """Find the one content type among a request's *headers* (an ASGI scope's), before a byte of the body is read.

    Raises:
        UnsupportedFormError: No content type, or a compressed body.
        MalformedFormError: Two content types.
        FormTooLargeError: The announced length alone is too much.
    """
    found: str | None = None
    for name, value in headers:
        match name.lower():
            case b"content-encoding":
                raise UnsupportedFormError("a form comes without a content encoding")
            case b"content-type" if found is not None:
                raise MalformedFormError("a form has one content type, not two")
            case b"content-type":
                found = value.decode("latin-1")
            case b"content-length" if not value.isdigit():
                raise MalformedFormError("a length is written in digits")
            case b"content-length" if int(value[:20]) > limits.body_bytes:
                raise FormTooLargeError(f"a form may have {limits.body_bytes} bytes")
            case _:
                pass
    if found is None:
        raise UnsupportedFormError("a form says its content type")
    return found


def is_urlencoded(content_type: str) -> bool:
    """Tell whether *content_type* announces a form that is not multipart."""
    media_type, semicolon, parameter = _bounded(content_type).partition(";")
    return media_type.strip(" \t").lower() == URLENCODED and (
        not semicolon or _CHARSET.fullmatch(parameter) is not None
    )


def boundary(content_type: str) -> bytes:
    """Read the boundary of a multipart form.

    Raises:
        UnsupportedFormError: Another media type.
        MalformedFormError: No boundary, two, or one that RFC 2046 does not allow (E4).
    """
    media_type, _, parameter = _bounded(content_type).partition(";")
    if media_type.strip(" \t").lower() != _MULTIPART:
        raise UnsupportedFormError("the content type is not that of a form")
    match = _BOUNDARY.fullmatch(parameter)
    if match is None:
        raise MalformedFormError("the boundary is missing, or not written as RFC 2046 says")
    return (match[1] or match[2]).encode("ascii")


def part_head(lines: Iterable[tuple[bytes, bytes]]) -> PartHead:
    """Understand the header *lines* of one part.

    Raises:
        MalformedFormError: No disposition or two, a spelling that browsers do not use, a control character,
            an encoding that would have to be undone, or a multipart inside the part.
    """
    headers: dict[bytes, bytes] = {}
    for name, value in lines:
        if name.lower() in headers:
            raise MalformedFormError("a part has a header twice")
        if b"\0" in value or b"\n" in value:
            raise MalformedFormError("a part's header holds NUL or a line feed")
        headers[name.lower()] = value.strip(b" \t")
    if headers.get(b"content-transfer-encoding", b"binary").lower() not in _PLAIN_ENCODINGS:
        raise MalformedFormError("a part comes byte for byte, in no transfer encoding")
    if b"content-encoding" in headers:
        raise MalformedFormError("a part comes without a content encoding")

    match = _DISPOSITION.fullmatch(headers.get(b"content-disposition", b""))
    if match is None:
        raise MalformedFormError("a part's disposition is missing, or not written as browsers write it")
    name, filename = match[1], match[2]
    if not name or len(name) > _NAME_BYTES:
        raise MalformedFormError(f"a part's name has 1 to {_NAME_BYTES} bytes, not {len(name)}")
    return PartHead(
        name=name.decode("utf-8", "replace"),
        filename=None if filename is None else filename.decode("utf-8", "replace"),
        media_type=_media_type(headers.get(b"content-type")),
    )


def _media_type(declared: bytes | None) -> str:
    if declared is None:
        return _DEFAULT_MEDIA_TYPE
    match = _MEDIA_TYPE.fullmatch(declared)
    if match is None:
        raise MalformedFormError("a part's media type is not written as RFC 9110 says")
    media_type = match[1].decode("ascii").lower()
    if media_type.startswith(("multipart/", "message/")):
        raise MalformedFormError("a part is not itself in parts")
    return media_type


def _bounded(content_type: str) -> str:
    if len(content_type) > _CONTENT_TYPE_CHARACTERS:
        raise MalformedFormError(f"a content type has at most {_CONTENT_TYPE_CHARACTERS} characters")
    return content_type
