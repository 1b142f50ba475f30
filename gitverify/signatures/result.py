"""What checking a signature can come to.

A check either returns :class:`Signed`, which proves that *this key signed these bytes* and nothing more (R8),
or raises :class:`SignatureRefused`. Whose key it is and what it may do is policy.

A *key id* here is text that names one public key for good: ``SHA256:…`` (base64 without padding, of the key
blob, as ``ssh-keygen -l`` prints it) for SSH, the upper-case hexadecimal fingerprint for OpenPGP.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from gitverify.errors import GitverifyError

RefusalCode = Literal["unsigned", "bad-signature", "unknown-key", "weak-signature", "unsupported-signature"]


class Signed(NamedTuple):
    """Proof that the key signed the payload.

    ``made_at``: the signature's own time (seconds since 1970, OpenPGP only; 0 for SSH).
    ``user_verified``: a FIDO key checked a PIN or finger (SSH security keys; None for other keys).
    """

    key: str
    made_at: int = 0
    user_verified: bool | None = None


class SignatureRefused(GitverifyError):
    """The signature proves nothing.

    ``code`` is the reason code. ``keys`` are the key ids that the signature names, as far as they can be read
    (for OpenPGP: the issuer fingerprint, or the fingerprints of the keys tried). The caller turns a refusal
    into "unsigned" or into ``bad-signature`` by asking whether one of them is listed (R8):

    * ``bad-signature``: names ``keys`` and fails: wrong bytes, broken structure, disagreeing issuer, wrong
      namespace, extra packets;
    * ``unknown-key``: no key material for the issuer (OpenPGP only);
    * ``weak-signature``: hash or key below the limits of R9 and R10;
    * ``unsupported-signature``: a kind we don't read (X.509, SSH certificates, unknown versions, algorithms or
      signature types), or so broken that no key can be read from it.
    """

    def __init__(self, code: RefusalCode, message: str, keys: tuple[str, ...] = ()) -> None:
        """Remember the code and the keys named."""
        super().__init__(message)
        self.code: RefusalCode = code
        self.message = message
        self.keys = keys
