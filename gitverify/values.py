"""What people write as option values and in git's configuration, and what it means.

Each function raises ValueError with the end of a sentence that begins with the value.
"""

from __future__ import annotations

import re
from binascii import unhexlify

_SIZES = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}


def parse_commit_id(text: str) -> bytes:
    """Read a full commit id: an abbreviation or a branch could be made to mean another commit by the server."""
    if re.fullmatch("[0-9a-fA-F]{40}|[0-9a-fA-F]{64}", text) is None:
        raise ValueError("not a whole commit id of hexadecimal digits (names and short ids can change their meaning)")
    return unhexlify(text)


def parse_key(text: str) -> str:
    """Read a key id: an OpenPGP fingerprint (spaces allowed) or ``SHA256:…``."""
    compact = re.sub(r"\s|^0[xX]", "", text)
    if re.fullmatch("[0-9a-fA-F]{40}|[0-9a-fA-F]{64}", compact):
        return compact.upper()
    if re.fullmatch("SHA256:[A-Za-z0-9+/]{43}=?", compact):
        return compact.rstrip("=")
    raise ValueError(
        "not a key: write the full OpenPGP fingerprint (40 or 64 hexadecimal digits), or SHA256:… as ssh-keygen -l "
        "prints it",
    )


def parse_duration(text: str) -> int:
    """Read a duration such as ``14d`` into seconds; units s, m, h, d, w."""
    found = re.fullmatch(r"([0-9]{1,9})([smhdw])", text.strip())
    if found is None:
        raise ValueError("not a duration: write a number and one of s, m, h, d, w, such as 14d")
    return int(found[1]) * _UNITS[found[2]]


def parse_size(text: str) -> int:
    """Read a size such as ``4G`` into bytes; units K, M, G, T, of 1024 each."""
    found = re.fullmatch(r"([1-9][0-9]{0,8})([KMGT])", text.strip())
    if found is None:
        raise ValueError("not a size: write a number and one of K, M, G, T, such as 4G")
    return int(found[1]) * _SIZES[found[2]]
