"""Certificates: what is in them, and which subkeys sign for the primary key (R11)."""

from __future__ import annotations

import pytest
from pgpchecks import ALICE, BOB, SUBKEY, only, signs

from fixtures.lib import pgpwriter as w
from gitverify.errors import KeyRefused
from gitverify.limits import LIMITS, Limits
from gitverify.signatures.certificates import parse_certificates

SHA1_ENDS = 1_675_209_600  # 2023-02-01


class TestReading:
    def test_parts(self):
        certificate = only(w.certificate(ALICE, w.subkey(ALICE, SUBKEY), w.user_id(ALICE, b"J\xf6rg\x1b[0m")))
        assert certificate.primary.body == ALICE.body
        assert [key.fingerprint for key in certificate.subkeys] == [SUBKEY.name]
        assert certificate.user_ids == (b"Test <test@example.org>", b"J\xf6rg\x1b[0m")

    def test_several_in_a_file(self):
        data = w.certificate(ALICE, w.subkey(ALICE, SUBKEY)) + w.certificate(BOB)
        for text in (data, w.armor(data, "PUBLIC KEY BLOCK")):
            found = parse_certificates(text)
            assert [c.primary.fingerprint for c in found] == [ALICE.name, BOB.name]
            assert [len(c.subkeys) for c in found] == [1, 0]

    def test_several_blocks_in_a_file(self):
        text = b"".join(w.armor(w.certificate(key), "PUBLIC KEY BLOCK", checksum=None) for key in (ALICE, BOB, ALICE))
        assert [c.primary.fingerprint for c in parse_certificates(text)] == [ALICE.name, BOB.name, ALICE.name]

    def test_versions_4_and_6(self):
        key, subkey = (w.ed25519_key(label).as_version(6) for label in ("primary", "sub"))
        certificate = only(w.certificate(key, w.subkey(key, subkey)), key=key)
        assert certificate.signs_for_primary(subkey.name)
        assert not certificate.hard_revoked(key.name)
        assert not certificate.expired(key.name, 0)

    def test_a_bare_key(self):
        assert only(w.primary(ALICE)).subkeys == ()

    @pytest.mark.parametrize(
        "junk",
        [
            w.packet(w.SIGNATURE, b""),
            w.packet(w.SIGNATURE, b"\3\5\x18" + bytes(16)),
            w.packet(w.SIGNATURE, b"\4\x18\x16\x08\xff"),
            w.packet(12, b"trust") + w.packet(10, b"PGP") + w.packet(21, b"padding") + w.packet(63, b"private"),
            w.signature(BOB, b"something else", type=w.SUBKEY_BINDING),
            w.signature(ALICE, b"something else", type=w.SUBKEY_BINDING, hashed=[w.created(w.SIGNED + 9)]),
        ],
    )
    def test_a_packet_that_is_nothing_costs_only_itself(self, junk):
        parts = [w.primary(ALICE), w.user_id(ALICE), w.packet(w.PUBLIC_SUBKEY, SUBKEY.body), w.binding(ALICE, SUBKEY)]
        for place in range(1, 5):
            certificate = only(*parts[:place], junk, *parts[place:])
            assert certificate.signs_for_primary(SUBKEY.name)
            assert not certificate.expired(SUBKEY.name, 0)

    @pytest.mark.parametrize(
        "junk",
        [
            w.packet(w.USER_ATTRIBUTE, b"image"),
            w.packet(39, b"unknown"),
            w.packet(w.PUBLIC_SUBKEY, b"\3" + bytes(20)),
            w.packet(w.PUBLIC_SUBKEY, b""),
            w.packet(7, SUBKEY.body + bytes(40)),
            w.packet(w.USER_ID, b""),
        ],
    )
    def test_a_component_that_is_nothing_takes_only_its_signatures_along(self, junk):
        junk += w.binding(ALICE, SUBKEY)
        certificate = only(w.certificate(ALICE, junk, w.subkey(ALICE, SUBKEY), junk))
        assert [key.fingerprint for key in certificate.subkeys] == [SUBKEY.name]
        assert certificate.signs_for_primary(SUBKEY.name)
        certificate = only(w.certificate(ALICE, w.packet(w.PUBLIC_SUBKEY, SUBKEY.body), junk))
        assert not certificate.signs_for_primary(SUBKEY.name)

    @pytest.mark.parametrize(
        "other",
        [
            w.packet(w.PUBLIC_KEY, b"\3" + bytes(40)) + w.user_id(BOB) + w.subkey(ALICE, w.eddsa_key("stray")),
            w.packet(w.SECRET_KEY, BOB.body + bytes(40)) + w.user_id(BOB) + w.subkey(BOB, w.eddsa_key("stray")),
            w.user_id(BOB) + w.revocation(ALICE),
        ],
    )
    def test_what_belongs_to_no_certificate_is_left_out(self, other):
        first, *rest = parse_certificates(other + w.certificate(BOB))
        assert (first.primary.fingerprint, first.subkeys, len(rest)) == (BOB.name, (), 0)
        if other[0] != 0xCD:
            first, last = parse_certificates(w.certificate(ALICE) + other + w.certificate(BOB))
            assert (first.subkeys, last.primary.fingerprint) == ((), BOB.name)
            assert not first.hard_revoked(ALICE.name)

    @pytest.mark.parametrize(
        ("data", "message"),
        [
            (b"", "no OpenPGP certificate"),
            (w.signature(ALICE, b""), "no OpenPGP certificate"),
            (w.packet(w.SECRET_KEY, ALICE.body + bytes(40)), "no OpenPGP certificate"),
            (w.certificate(ALICE)[:-1], "cut off"),
            (w.certificate(ALICE) + b"\xce\xe0" + bytes(10), "partial"),
            (w.certificate(ALICE) + b"text", "no packet"),
            (w.armor(w.certificate(ALICE)[:-1], "PUBLIC KEY BLOCK"), "cut off"),
            (w.armor(w.certificate(ALICE), "PUBLIC KEY BLOCK", checksum=1), "checksum"),
        ],
    )
    def test_refused(self, data, message):
        with pytest.raises(KeyRefused, match=message) as refused:
            parse_certificates(data)
        assert refused.value.code == "malformed"

    def test_too_many_packets(self, monkeypatch):
        monkeypatch.setattr("gitverify.signatures.certificates.LIMITS", Limits(certificate_packets=6))
        parse_certificates(w.certificate(ALICE) * 2)
        text = w.armor(w.certificate(ALICE), "PUBLIC KEY BLOCK")
        for data in (w.certificate(ALICE) * 2 + w.packet(12, b""), text * 3):
            with pytest.raises(KeyRefused, match="more than 6 packets"):
                parse_certificates(data)

    def test_fingerprints_that_are_not_in_it(self):
        certificate = only(w.certificate(ALICE))
        for question in (certificate.signs_for_primary, certificate.hard_revoked, lambda f: certificate.expired(f, 0)):
            with pytest.raises(KeyError):
                question(BOB.name)


class TestSubkeysSign:
    def test_bound_both_ways(self):
        assert signs(w.subkey(ALICE, SUBKEY))

    @pytest.mark.parametrize("key", [w.rsa_key(), w.dsa_key(), w.ecdsa_key()])
    def test_algorithms(self, key):
        assert signs(w.subkey(key, SUBKEY), key=key)
        assert signs(w.subkey(ALICE, key), subkey=key)

    def test_the_primary_key_is_no_subkey(self):
        certificate = only(w.certificate(ALICE, w.subkey(ALICE, ALICE)))
        assert not certificate.signs_for_primary(ALICE.name)

    @pytest.mark.parametrize(
        "back",
        [
            None,
            w.back_signature(ALICE, SUBKEY, by=ALICE),
            w.back_signature(ALICE, SUBKEY, by=ALICE, hashed=[w.created()], unhashed=[]),
            w.back_signature(BOB, SUBKEY),
            w.back_signature(ALICE, BOB),
            w.back_signature(ALICE, SUBKEY, type=w.SUBKEY_BINDING),
            w.back_signature(ALICE, SUBKEY, hashed=[]),
            w.back_signature(ALICE, SUBKEY, more=[w.subpacket(99, b"", critical=True)]),
            b"\4\x19",
        ],
    )
    def test_without_a_back_signature_that_verifies(self, back):
        assert not signs(w.subkey(ALICE, SUBKEY, back=back))

    def test_a_back_signature_need_not_be_hashed_nor_say_whose_it_is(self):
        back = w.back_signature(ALICE, SUBKEY, hashed=[w.created()], unhashed=[])
        assert signs(w.subkey(ALICE, SUBKEY, back=None, unhashed=[w.issuer_id(ALICE), w.embedded(back)]))

    def test_one_good_back_signature_among_others_will_do(self):
        bad, good = w.back_signature(BOB, SUBKEY), w.back_signature(ALICE, SUBKEY)
        assert signs(w.subkey(ALICE, SUBKEY, back=bad, more=[w.embedded(good)]))

    @pytest.mark.parametrize("flags", [None, 0, w.MAY_CERTIFY, w.MAY_ENCRYPT, 0x20])
    def test_without_the_flag_to_sign(self, flags):
        assert signs(w.subkey(ALICE, SUBKEY, flags=w.MAY_SIGN | w.MAY_ENCRYPT))
        assert not signs(w.subkey(ALICE, SUBKEY, flags=flags))

    def test_flags_count_only_where_they_are_signed(self):
        unhashed = [w.issuer_id(ALICE), w.key_flags(w.MAY_SIGN)]
        assert not signs(w.subkey(ALICE, SUBKEY, flags=None, unhashed=unhashed))

    @pytest.mark.parametrize(
        "binding",
        [
            w.binding(ALICE, SUBKEY, by=BOB),
            w.binding(ALICE, SUBKEY, by=BOB, hashed=[w.created(), w.issuer(ALICE)], unhashed=[]),
            w.binding(ALICE, SUBKEY, by=BOB, hashed=[w.created()], unhashed=[]),
            w.binding(BOB, SUBKEY),
            w.binding(ALICE, BOB),
            w.binding(ALICE, SUBKEY, type=w.PRIMARY_KEY_BINDING),
            w.binding(ALICE, SUBKEY, type=w.POSITIVE),
            w.binding(ALICE, SUBKEY, hashed=[w.issuer(ALICE)]),
            w.binding(ALICE, SUBKEY, more=[w.subpacket(99, b"", critical=True)]),
            w.binding(ALICE, SUBKEY, values=lambda octets: octets + b"\0"),
            b"",
        ],
    )
    def test_without_a_binding_signature_that_verifies(self, binding):
        assert not signs(w.packet(w.PUBLIC_SUBKEY, SUBKEY.body), binding)

    @pytest.mark.parametrize(
        "extra",
        [
            w.subpacket(4, b"\1", critical=True),
            w.subpacket(31, b"\1\2" + bytes(20), critical=True),
            w.subpacket(39, b"\7\2", critical=True),
            w.notation(b"x@example.org", b"", critical=True),
        ],
    )
    def test_critical_subpackets_of_certificates(self, extra):
        assert signs(w.subkey(ALICE, SUBKEY, more=[extra]))

    def test_a_subkey_of_somebody_else(self):
        """Mallory takes Alice's subkey into his certificate, with all the signatures that he can copy or make."""
        mallory = w.eddsa_key("mallory")
        copied = w.subkey(ALICE, SUBKEY)
        made = w.subkey(mallory, SUBKEY, back=w.back_signature(ALICE, SUBKEY))
        for stolen in (copied, made, copied + made):
            assert not signs(stolen, key=mallory)
        assert signs(copied)

    def test_the_newest_binding_decides(self):
        old = {"hashed": [w.created(w.SIGNED), w.issuer(ALICE)]}
        new = {"hashed": [w.created(w.SIGNED + 1), w.issuer(ALICE)]}
        packet = w.packet(w.PUBLIC_SUBKEY, SUBKEY.body)
        allowed_then = w.binding(ALICE, SUBKEY, **old)
        not_now = w.binding(ALICE, SUBKEY, flags=w.MAY_ENCRYPT, back=None, **new)
        allowed_now = w.binding(ALICE, SUBKEY, **new)
        not_then = w.binding(ALICE, SUBKEY, flags=w.MAY_ENCRYPT, back=None, **old)
        for first, second, answer in ((allowed_then, not_now, False), (not_then, allowed_now, True)):
            assert signs(packet, first, second) is answer
            assert signs(packet, second, first) is answer
        by_bob = w.binding(ALICE, SUBKEY, by=BOB, flags=0, hashed=[w.created(w.SIGNED + 9)])
        assert signs(packet, allowed_now, by_bob)

    def test_a_subkey_that_is_there_twice(self):
        packet = w.packet(w.PUBLIC_SUBKEY, SUBKEY.body)
        assert signs(packet, w.subkey(ALICE, SUBKEY))
        not_now = w.binding(ALICE, SUBKEY, flags=0, hashed=[w.created(w.SIGNED + 1)])
        assert not signs(packet, not_now, w.subkey(ALICE, SUBKEY))
        certificate = only(w.certificate(ALICE, packet, w.revocation(ALICE, SUBKEY), w.subkey(ALICE, SUBKEY)))
        assert len(certificate.subkeys) == 1
        assert certificate.hard_revoked(SUBKEY.name)

    def test_answers_are_remembered(self, monkeypatch):
        certificate = only(w.certificate(ALICE, w.subkey(ALICE, SUBKEY)))
        answers = [certificate.signs_for_primary(SUBKEY.name), certificate.hard_revoked(SUBKEY.name)]
        answers += [certificate.expired(SUBKEY.name, 0)]
        monkeypatch.setattr("gitverify.signatures.selfsignatures.check_signature", None)
        assert answers == [True, False, False]
        assert certificate.signs_for_primary(SUBKEY.name)
        assert not certificate.hard_revoked(SUBKEY.name)
        assert not certificate.expired(SUBKEY.name, 2 * w.SIGNED)

    def test_junk_is_tried_so_many_times(self):
        junk = [
            w.binding(ALICE, SUBKEY, back=None, by=BOB, hashed=[w.created(w.SIGNED + 1 + n)], unhashed=[])
            for n in range(LIMITS.self_signatures)
        ]
        packet = w.packet(w.PUBLIC_SUBKEY, SUBKEY.body)
        assert signs(packet, *junk[1:], w.binding(ALICE, SUBKEY))
        assert not signs(packet, *junk, w.binding(ALICE, SUBKEY))


class TestWeakBindings:
    @pytest.mark.parametrize("digest", ["SHA1", "SHA224", "MD5"])
    def test_of_the_binding_signature(self, digest):
        hashed = [w.created(w.CREATED), w.issuer(ALICE)]
        assert signs(w.subkey(ALICE, SUBKEY, hashed=hashed))
        assert not signs(w.subkey(ALICE, SUBKEY, hashed=hashed, digest=digest))

    def test_a_weak_binding_takes_away_what_a_strong_one_gave(self):
        strong = w.subkey(ALICE, SUBKEY)
        weak = w.binding(ALICE, SUBKEY, flags=0, digest="SHA1", hashed=[w.created(w.SIGNED + 1), w.issuer(ALICE)])
        assert signs(strong)
        assert not signs(strong, weak)

    @pytest.mark.parametrize(
        ("digest", "when", "answer"),
        [
            ("SHA1", SHA1_ENDS - 1, True),
            ("SHA1", SHA1_ENDS, False),
            ("SHA256", SHA1_ENDS, True),
            ("MD5", SHA1_ENDS - 1, False),
        ],
    )
    def test_of_the_back_signature(self, digest, when, answer):
        for key in (w.rsa_key(), w.dsa_key()):
            back = w.back_signature(ALICE, key, digest=digest, hashed=[w.created(when), w.issuer(key)])
            assert signs(w.subkey(ALICE, key, back=back), subkey=key) is answer

    def test_a_back_signature_of_a_curve_has_a_digest_that_fits(self):
        hashed = [w.created(SHA1_ENDS - 1), w.issuer(SUBKEY)]
        assert signs(w.subkey(ALICE, SUBKEY, back=w.back_signature(ALICE, SUBKEY, hashed=hashed)))
        back = w.back_signature(ALICE, SUBKEY, digest="SHA1", hashed=hashed)
        assert not signs(w.subkey(ALICE, SUBKEY, back=back))

    def test_keys(self):
        weak, strong = w.rsa_key(1024), w.rsa_key(2048)
        assert signs(w.subkey(strong, SUBKEY), key=strong)
        assert not signs(w.subkey(weak, SUBKEY), key=weak)
        assert signs(w.subkey(ALICE, strong), subkey=strong)
        assert not signs(w.subkey(ALICE, weak), subkey=weak)
