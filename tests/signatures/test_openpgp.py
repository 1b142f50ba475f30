"""OpenPGP signatures: which forms of them count, and how each refusal is told.

Every refusal differs in one thing from a signature that is accepted.
"""

from __future__ import annotations

import struct

import pytest
from pgpchecks import EDDSA, MODERN, OTHER, PAYLOAD, refusal, verified

from fixtures.lib import pgpwriter as w
from gitverify.signatures.openpgp import GUIX, NATIVE, Profile


@pytest.mark.parametrize("shape", [{"old": True}, {"old": True, "width": 4}, {"width": 5}])
def test_any_packet_format(shape):
    verified(w.packet(w.SIGNATURE, w.signature_body(EDDSA, PAYLOAD), **shape))


class TestText:
    def test_line_ends_are_signed_as_cr_lf(self):
        packet = w.signature(EDDSA, b"a\r\n\r\nb", type=w.TEXT)
        verified(packet, payload=b"a\n\nb")
        assert refusal(packet, payload=b"a\n\nb\n")[0] == "bad-signature"

    @pytest.mark.parametrize("payload", [b"a\r\nb", b"a\rb", b"a\nb\r"])
    def test_carriage_returns_are_ambiguous(self, payload):
        packet = w.signature(EDDSA, b"a\r\nb", type=w.TEXT)
        verified(packet, payload=b"a\nb")
        assert refusal(packet, payload=payload)[::2] == ("unsupported-signature", (EDDSA.name,))

    def test_carriage_returns_in_a_binary_signature(self):
        verified(w.signature(EDDSA, b"a\r\nb"), payload=b"a\r\nb")


@pytest.mark.parametrize("kind", [0x02, 0x10, 0x11, 0x12, 0x13, 0x18, 0x19, 0x1F, 0x20, 0x28, 0x30, 0x40, 0x50, 0xFF])
def test_other_types_of_signature(kind):
    code, message, keys = refusal(w.signature(EDDSA, PAYLOAD, type=kind))
    assert (code, keys) == ("unsupported-signature", (EDDSA.name, EDDSA.key_id.hex().upper()))
    assert f"{kind:#04x}" in message


class TestIssuer:
    fpr, key_id = w.issuer(EDDSA), w.issuer_id(EDDSA)

    @pytest.mark.parametrize(
        ("hashed", "unhashed"),
        [
            ([fpr], [key_id]),
            ([fpr], []),
            ([], [fpr]),
            ([key_id], []),
            ([], [key_id]),
            ([fpr, key_id], [fpr, key_id]),
            ([fpr, fpr], []),
        ],
    )
    def test_one_is_enough(self, hashed, unhashed):
        signature = verified(w.signature(EDDSA, PAYLOAD, hashed=[w.created(), *hashed], unhashed=unhashed))
        assert signature.names

    def test_none(self):
        code, message, keys = refusal(w.signature(EDDSA, PAYLOAD, hashed=[w.created()], unhashed=[]))
        assert (code, keys) == ("unsupported-signature", ())
        assert "which key" in message

    @pytest.mark.parametrize(
        ("hashed", "unhashed"),
        [
            ([fpr], [w.issuer_id(OTHER)]),
            ([w.issuer(OTHER)], [key_id]),
            ([fpr], [w.issuer(OTHER)]),
            ([fpr, w.issuer(OTHER)], []),
            ([key_id], [w.issuer_id(OTHER)]),
            ([key_id, w.issuer_id(OTHER)], []),
            ([], [key_id, w.issuer_id(OTHER)]),
            ([w.subpacket(33, b""), key_id], []),
            ([w.subpacket(33, b"\4"), key_id], []),
            ([w.subpacket(33, b"\5" + bytes(32)), key_id], []),
            ([w.subpacket(33, b"\4" + bytes(32)), key_id], []),
            ([fpr, w.subpacket(16, b"")], []),
            ([fpr], [w.subpacket(16, bytes(7))]),
        ],
    )
    def test_contradictions(self, hashed, unhashed):
        code, _, keys = refusal(w.signature(EDDSA, PAYLOAD, hashed=[w.created(), *hashed], unhashed=unhashed))
        assert code == "bad-signature"
        assert set(keys) & {key.name for key in (EDDSA, OTHER)} | set(keys) & {EDDSA.key_id.hex().upper()}

    def test_the_key_tried_must_be_the_one_named(self):
        packet = w.signature(EDDSA, PAYLOAD, hashed=[w.created(), w.issuer(OTHER)], unhashed=[])
        assert refusal(packet) == ("bad-signature", "the signature names another key", (EDDSA.name,))
        packet = w.signature(EDDSA, PAYLOAD, hashed=[w.created()], unhashed=[w.issuer_id(OTHER)])
        assert refusal(packet) == ("bad-signature", "the signature names another key", (EDDSA.name,))

    def test_a_version_6_key_id_is_the_start_of_the_fingerprint(self):
        verified(w.signature(MODERN, PAYLOAD, more=[w.issuer_id(MODERN)]), MODERN)
        end = w.subpacket(16, MODERN.fingerprint[-8:])
        assert refusal(w.signature(MODERN, PAYLOAD, more=[end]), MODERN)[0] == "bad-signature"

    def test_the_versions_of_signature_and_issuer_must_agree(self):
        packet = w.signature(EDDSA, PAYLOAD, hashed=[w.created(), w.issuer(MODERN)], unhashed=[])
        code, message, keys = refusal(packet)
        assert (code, keys[0]) == ("bad-signature", MODERN.name)
        assert "version" in message


class TestSubpackets:
    def with_(self, *more, **shape):
        return w.signature(EDDSA, PAYLOAD, more=more, **shape)

    def refused(self, packet, message):
        code, told, keys = refusal(packet)
        assert (code, keys) == ("bad-signature", (EDDSA.name, EDDSA.key_id.hex().upper()))
        assert message in told

    @pytest.mark.parametrize("width", [1, 2, 5])
    def test_length_forms(self, width):
        content = bytes(300) if width == 2 else b"\0"
        verified(self.with_(w.subpacket(100, content, width=width)))

    def test_creation_time_is_required_in_the_hashed_area(self):
        shape = {"hashed": [w.issuer(EDDSA)], "unhashed": [w.created(), w.issuer_id(EDDSA)]}
        self.refused(w.signature(EDDSA, PAYLOAD, **shape), "creation time")
        for bad in (w.subpacket(2, b""), w.subpacket(2, bytes(3)), w.subpacket(2, bytes(5))):
            self.refused(w.signature(EDDSA, PAYLOAD, hashed=[bad, w.issuer(EDDSA)]), "creation time")

    def test_creation_time_twice(self):
        assert verified(self.with_(w.created())).created == w.SIGNED
        self.refused(self.with_(w.created(w.SIGNED + 1)), "disagree")

    def test_the_unhashed_area_does_not_date_the_signature(self):
        packet = self.with_(unhashed=[w.created(1), w.issuer_id(EDDSA)])
        assert verified(packet).created == w.SIGNED

    @pytest.mark.parametrize(
        "kind", [2, 3, 5, 7, 9, 11, 16, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 32, 33], ids="critical-{}".format
    )
    def test_critical_and_understood(self, kind):
        content = {
            2: struct.pack(">I", w.SIGNED),
            16: EDDSA.key_id,
            33: b"\4" + EDDSA.fingerprint,
            20: w.notation(b"salt@notations.sequoia-pgp.org", bytes(32))[2:],
        }
        verified(self.with_(w.subpacket(kind, content.get(kind, bytes(4)), critical=True)))

    @pytest.mark.parametrize("kind", [0, 1, 4, 6, 8, 10, 12, 31, 34, 36, 37, 38, 39, 40, 100, 127])
    @pytest.mark.parametrize("area", ["hashed", "unhashed"])
    def test_critical_and_unknown(self, kind, area):
        def packet(critical):
            extra = w.subpacket(kind, b"?", critical=critical)
            if area == "hashed":
                return self.with_(extra)
            return self.with_(unhashed=[w.issuer_id(EDDSA), extra])

        verified(packet(False))
        self.refused(packet(True), f"type {kind}, which is not understood")

    @pytest.mark.parametrize("critical", [False, True])
    def test_made_for_the_recipient_of_a_message(self, critical):
        recipient = w.subpacket(35, b"\4" + OTHER.fingerprint, critical=critical)
        self.refused(self.with_(recipient), "recipient")

    @pytest.mark.parametrize(
        "broken", [b"\0", b"\2\x64", b"\5\2ab", b"\xc0", b"\xc0\0", b"\xff\xff\xff\xff\xff\x14", b"\xff\0\0\0\0", b"\1"]
    )
    @pytest.mark.parametrize("area", ["hashed", "unhashed"])
    def test_cut_off(self, broken, area):
        if area == "hashed":
            packet = w.signature(EDDSA, PAYLOAD, hashed=[w.created(), w.issuer(EDDSA), broken])
        else:
            packet = w.signature(EDDSA, PAYLOAD, unhashed=[w.issuer_id(EDDSA), broken])
        self.refused(packet, "cut off")

    def test_an_expiry_of_the_signature_is_not_judged(self):
        verified(self.with_(w.subpacket(3, struct.pack(">I", 1), critical=True)))


class TestForm:
    """What is wrong with the packet itself."""

    good = w.signature(EDDSA, PAYLOAD)
    names = (EDDSA.name, EDDSA.key_id.hex().upper())

    @pytest.mark.parametrize("more", [b"x", b"\0", b"\xc2", good[:20]])
    def test_data_after_it(self, more):
        verified(self.good)
        code, message, keys = refusal(self.good + more)
        assert (code, keys) == ("bad-signature", self.names)
        assert "more data" in message

    def test_a_second_signature_is_named_too(self):
        other = w.signature(OTHER, PAYLOAD)
        code, _, keys = refusal(self.good + w.packet(13, b"x") + other + self.good)
        assert code == "bad-signature"
        assert keys == (*self.names, OTHER.name, OTHER.key_id.hex().upper(), *self.names)

    @pytest.mark.parametrize(
        ("data", "message"),
        [
            (b"", "cut off"),
            (good[:-1], "cut off"),
            (b"\x02" + good[1:], "no packet"),
            (b"\xc2\xe0" + good[2:], "partial"),
            (w.packet(6, EDDSA.body), "type 6"),
            (w.packet(2, b""), "cut off"),
            (w.packet(2, b"\x04"), "cut off"),
            (w.packet(2, b"\x06"), "cut off"),
            (w.packet(2, w.signature_body(EDDSA, PAYLOAD)[:20]), "cut off"),
            (w.packet(2, w.signature_body(MODERN, PAYLOAD)[:60]), "cut off"),
            (w.packet(2, w.signature_body(MODERN, PAYLOAD)[:12]), "cut off"),
            (w.packet(2, b"\x03" + bytes(40)), "version 3"),
            (w.packet(2, b"\x05" + bytes(40)), "version 5"),
            (w.packet(2, b"\x04\0\x16\x08\xff\xff"), "cut off"),
        ],
    )
    def test_nothing_to_read(self, data, message):
        code, told, keys = refusal(data)
        assert (code, keys) == ("unsupported-signature", ())
        assert message in told

    @pytest.mark.parametrize(
        ("key", "values"),
        [
            (EDDSA, lambda octets: octets + b"\0"),
            (EDDSA, lambda octets: octets[:-1]),
            (EDDSA, lambda octets: octets[:34]),
            (EDDSA, lambda _: b""),
            (w.rsa_key(), lambda octets: octets + octets),
            (w.rsa_key(), lambda octets: b"\xff\xff" + octets[2:]),
            (w.dsa_key(), lambda octets: octets + w.mpi(1)),
            (w.ecdsa_key(), lambda octets: octets[:30]),
            (MODERN, lambda octets: octets + b"\0"),
            (w.ed448_key(), lambda octets: octets[1:]),
        ],
    )
    def test_algorithm_specific_octets(self, key, values):
        verified(w.signature(key, PAYLOAD, digest="SHA512"), key)
        code, _, keys = refusal(w.signature(key, PAYLOAD, digest="SHA512", values=values), key)
        assert (code, keys) == ("bad-signature", (key.name,))

    @pytest.mark.parametrize("key", [w.rsa_key(), w.dsa_key(), w.ecdsa_key(), EDDSA])
    def test_zeros_in_place_of_numbers(self, key):
        count = 1 if key.algorithm == 1 else 2
        assert refusal(w.signature(key, PAYLOAD, values=lambda _: w.mpi(0) * count), key)[0] == "bad-signature"

    def test_bit_counts(self):
        """Version 4: as many octets as they take. Version 6: exactly."""

        def claim_more(octets):
            bits = int.from_bytes(octets[:2], "big")
            return (bits + 7 & ~7).to_bytes(2, "big") + octets[2:]

        key = w.rsa_key(2047)
        verified(w.signature(key, PAYLOAD, values=claim_more), key, profile=GUIX)
        new = w.rsa_key(2047).as_version(6)
        any_size = Profile("any-size", NATIVE.hashes)
        packets = [w.signature(new, PAYLOAD, salt=bytes([n]) * 16, values=claim_more) for n in range(8)]
        exact = [w.signature(new, PAYLOAD, salt=bytes([n]) * 16) for n in range(8)]
        different = [pair for pair in zip(packets, exact, strict=True) if pair[0] != pair[1]]
        for packet, twin in different:
            assert refusal(packet, new, profile=any_size)[0] == "bad-signature"
            verified(twin, new, profile=any_size)
        assert different

    def test_the_start_of_the_digest_is_not_compared(self):
        head = w.signature_body(EDDSA, PAYLOAD, values=lambda _: b"")
        body = w.signature_body(EDDSA, PAYLOAD)  # EdDSA signatures are deterministic
        assert body.startswith(head)
        changed = head[:-2] + bytes([head[-2] ^ 1, head[-1]]) + body[len(head) :]
        assert verified(w.packet(w.SIGNATURE, changed)).created == w.SIGNED


class TestVersions:
    @pytest.mark.parametrize("digest", ["SHA256", "SHA384", "SHA512", "SHA3_256", "SHA3_512"])
    def test_salt_size(self, digest):
        good = w.signature(MODERN, PAYLOAD, digest=digest)
        size = len(verified(good, MODERN).salt)
        for wrong in (0, size - 1, size + 1):
            packet = w.signature(MODERN, PAYLOAD, digest=digest, salt=bytes(wrong))
            code, message, _ = refusal(packet, MODERN)
            assert (code, "salt" in message) == ("bad-signature", True)

    def test_the_salt_is_signed(self):
        packet = w.signature(MODERN, PAYLOAD, salt=bytes(16))
        place = packet.index(bytes(16))
        assert refusal(packet[:place] + b"\1" + packet[place + 1 :], MODERN)[0] == "bad-signature"

    def test_version_of_signature_and_key(self):
        old = w.ed25519_key("signer")
        by_id = {"hashed": [w.created()], "unhashed": [w.issuer_id(old)]}
        verified(w.signature(old, PAYLOAD, **by_id), old)
        packet = w.signature(old, PAYLOAD, version=6, **by_id)
        assert refusal(packet, old)[:2] == ("bad-signature", "the signature is not of its key's version and algorithm")

    def test_algorithm_of_signature_and_key(self):
        assert refusal(w.signature(EDDSA, PAYLOAD, algorithm=27))[0] == "bad-signature"

    def test_legacy_eddsa_is_not_for_version_6(self):
        key = EDDSA.as_version(6)
        assert refusal(w.signature(key, PAYLOAD), key)[0] == "unsupported-signature"

    def test_an_unknown_hash(self):
        code, message, keys = refusal(w.signature(EDDSA, PAYLOAD, hash_number=99))
        assert (code, keys) == ("unsupported-signature", (EDDSA.name,))
        assert "99" in message
