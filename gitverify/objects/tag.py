"""Annotated tag objects, parsed strictly (R4).

Source: git's tag format: ``object``, ``type``, ``tag``, ``tagger``, a blank line, the message, and, in the
message's last lines, the signature (gpg-interface.c, ``parse_signed_buffer``). A tag that was made for both of git's
hashes has its second signature in a header field, ``gpgsig-sha256``, which the one at the end does not cover.
"""

from __future__ import annotations

import re
from binascii import unhexlify
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from gitverify.errors import MalformedTag
from gitverify.limits import LIMITS
from gitverify.objects.commit import DATE

if TYPE_CHECKING:
    from gitverify.objects.source import ObjectType

_HEAD = re.compile(
    rb"object ([0-9a-f]{40})\ntype (commit|tree|blob|tag)\ntag ([^\n\0]+)\n(?:tagger ([^\n\0]*)\n)?"
    rb"(gpgsig-sha256 [^\n\0]*\n(?: [^\n\0]*\n)*)?(?=\n|\Z)",
)
_SIGNATURE = re.compile(rb"^-----BEGIN (?:PGP SIGNATURE|PGP MESSAGE|SSH SIGNATURE|SIGNED MESSAGE)-----", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Tag:
    """An annotated tag: raw target id, its type, and the rest as bytes.

    ``signature`` is the block at the end, ``payload`` the bytes that it should cover. All but what a signature covers
    is the word of whoever wrote the object.
    """

    target: bytes
    target_type: ObjectType
    name: bytes
    tagger: bytes | None
    signature: bytes | None
    payload: bytes
    message: bytes

    @property
    def date(self) -> int:
        """The tagger's time in seconds since 1970; 0 where there is none. Anyone can write any."""
        found = DATE.match(self.tagger or b"")
        return int(found[1]) if found else 0


def parse_tag(raw: bytes) -> Tag:
    """Parse a tag object's content; raise MalformedTag where it is not exactly as git writes it.

    Header fields other than those that git writes are refused. The signature is the last line of the message that
    begins one, with all that follows, as git finds it; the payload is all that comes before, without a
    ``gpgsig-sha256`` field.
    """
    if len(raw) > LIMITS.tag_size:
        raise MalformedTag(f"the tag is {len(raw)} bytes long; the limit is {LIMITS.tag_size}")
    found = _HEAD.match(raw)
    if found is None:
        raise MalformedTag("the header is not object, type, tag and tagger, in this order")
    target, target_type, name, tagger, other = found.groups()
    begins = [match.start() for match in _SIGNATURE.finditer(raw, found.end())]
    end = begins[-1] if begins else len(raw)
    return Tag(
        target=unhexlify(target),
        target_type=cast("ObjectType", target_type.decode()),
        name=name,
        tagger=tagger,
        signature=raw[end:] if begins else None,
        payload=raw[: found.start(5)] + raw[found.end(5) : end] if other else raw[:end],
        message=raw[found.end() + 1 : end],
    )
