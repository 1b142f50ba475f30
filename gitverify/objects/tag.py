"""Annotated tag objects, parsed strictly (R4).

Source: git's tag format: ``object``, ``type``, ``tag``, ``tagger``, a blank line, the message, and, in the
message's last lines, the signature.
"""

from __future__ import annotations

import re
from binascii import unhexlify
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from gitverify.errors import MalformedTag
from gitverify.limits import LIMITS

if TYPE_CHECKING:
    from gitverify.objects.source import ObjectType

_HEAD = re.compile(
    rb"object ([0-9a-f]{40})\ntype (commit|tree|blob|tag)\ntag ([^\n\0]+)\n(?:tagger ([^\n\0]*)\n)?(?=\n|\Z)",
)
_SIGNATURE = re.compile(rb"^-----BEGIN (?:PGP SIGNATURE|PGP MESSAGE|SSH SIGNATURE|SIGNED MESSAGE)-----", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Tag:
    """An annotated tag: raw target id, its type, and the rest as bytes."""

    target: bytes
    target_type: ObjectType
    name: bytes
    tagger: bytes | None
    signature: bytes | None
    payload: bytes
    message: bytes


def parse_tag(raw: bytes) -> Tag:
    """Parse a tag object's content; raise MalformedTag where it is not exactly as git writes it.

    Header fields other than the four that git writes are refused. The signature is what follows the last line
    that begins one, as git finds it, and the payload all that comes before.
    """
    if len(raw) > LIMITS.tag_size:
        raise MalformedTag(f"the tag is {len(raw)} bytes long; the limit is {LIMITS.tag_size}")
    found = _HEAD.match(raw)
    if found is None:
        raise MalformedTag("the header is not object, type, tag and tagger, in this order")
    target, target_type, name, tagger = found.groups()
    begins = [match.start() for match in _SIGNATURE.finditer(raw, found.end())]
    end = begins[-1] if begins else len(raw)
    return Tag(
        target=unhexlify(target),
        target_type=cast("ObjectType", target_type.decode()),
        name=name,
        tagger=tagger,
        signature=raw[end:] if begins else None,
        payload=raw[:end],
        message=raw[found.end() + 1 : end],
    )
