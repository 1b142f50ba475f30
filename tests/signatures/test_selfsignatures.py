"""What a primary key says about itself and its subkeys: that they are revoked, or when they expire (R12)."""

from __future__ import annotations

import pytest
from pgpchecks import ALICE, BOB, DAY, SUBKEY, only

from fixtures.lib import pgpwriter as w


class TestRevocation:
    def revoked(self, *parts, of=ALICE):
        certificate = only(w.primary(ALICE), *parts, w.user_id(ALICE), w.subkey(ALICE, SUBKEY))
        return certificate.hard_revoked(of.name)

    @pytest.mark.parametrize(
        ("code", "hard"), [(None, True), (0, True), (2, True), (1, False), (3, False), (32, True), (100, True)]
    )
    def test_reasons(self, code, hard):
        for of in (ALICE, SUBKEY):
            assert self.revoked(w.revocation(ALICE, code=code), of=of) is hard
        subkey = w.subkey(ALICE, SUBKEY) + w.revocation(ALICE, SUBKEY, code)
        certificate = only(w.certificate(ALICE, subkey))
        assert certificate.hard_revoked(SUBKEY.name) is hard
        assert not certificate.hard_revoked(ALICE.name)

    def test_an_empty_reason_is_none(self):
        assert self.revoked(w.revocation(ALICE, code=None, more=[w.subpacket(29, b"")]))

    def test_a_reason_counts_only_where_it_is_signed(self):
        unhashed = [w.issuer_id(ALICE), w.reason(3)]
        assert self.revoked(w.revocation(ALICE, code=None, unhashed=unhashed))

    @pytest.mark.parametrize(
        "revocation",
        [
            w.revocation(ALICE, by=BOB),
            w.revocation(ALICE, by=BOB, hashed=[w.created(), w.issuer(ALICE)], unhashed=[]),
            w.revocation(ALICE, by=BOB, hashed=[w.created()], unhashed=[]),
            w.revocation(BOB, by=ALICE),
            w.revocation(ALICE, SUBKEY),
            w.revocation(ALICE, values=lambda octets: octets[:-1] + bytes([octets[-1] ^ 1])),
            w.revocation(ALICE, type=w.CERTIFICATION_REVOCATION),
            w.packet(2, b"\4\x20"),
        ],
    )
    def test_one_that_does_not_verify_is_ignored(self, revocation):
        assert self.revoked(w.revocation(ALICE))
        assert not self.revoked(revocation)

    @pytest.mark.parametrize(
        "shape",
        [
            {"digest": "SHA1"},
            {"hashed": [w.created()], "unhashed": []},
            {"hashed": [], "unhashed": []},
            {"more": [w.subpacket(99, b"", critical=True)]},
        ],
    )
    def test_one_that_is_weak_or_odd_counts(self, shape):
        assert self.revoked(w.revocation(ALICE, **shape))

    def test_weak_keys_can_be_revoked(self):
        key = w.rsa_key(1024)
        assert only(w.certificate(key, w.revocation(key)), key=key).hard_revoked(key.name)
        assert not only(w.certificate(key), key=key).hard_revoked(key.name)

    def test_wherever_it_stands(self):
        parts = [
            w.primary(ALICE),
            w.user_id(ALICE),
            w.packet(w.USER_ATTRIBUTE, b"x"),
            w.subkey(ALICE, SUBKEY),
            w.packet(w.PUBLIC_SUBKEY, b"\3"),
        ]
        for place in range(1, 6):
            certificate = only(*parts[:place], w.revocation(ALICE), *parts[place:])
            assert certificate.hard_revoked(ALICE.name)
            assert certificate.hard_revoked(SUBKEY.name)
        assert not only(*parts).hard_revoked(ALICE.name)

    def test_that_of_another_subkey(self):
        other = w.eddsa_key("other subkey")
        revoked = w.subkey(ALICE, other) + w.revocation(ALICE, other)
        certificate = only(w.certificate(ALICE, w.subkey(ALICE, SUBKEY), revoked))
        assert [certificate.hard_revoked(key.name) for key in (ALICE, SUBKEY, other)] == [False, False, True]


class TestExpiry:
    """Keys are made at CREATED; an expiry counts from then on."""

    def expiry(self, *parts, of=ALICE):
        """The day on which a key expires, counted from its creation; None for never, 0 for always."""
        certificate = only(w.primary(ALICE), *parts)
        if certificate.expired(of.name, 0):
            return 0
        days = [day for day in range(1, 100) if certificate.expired(of.name, w.CREATED + day * DAY)]
        if not days:
            assert not certificate.expired(of.name, 1 << 40)
            return None
        assert not certificate.expired(of.name, w.CREATED + days[0] * DAY - 1)
        assert days == list(range(days[0], 100))
        return days[0]

    def shape(self, when=0, days=None, key=ALICE):
        """The shape of a signature made ``when`` seconds after the usual time, by which the key lives so long."""
        more = [] if days is None else [w.key_expiration(days * DAY)]
        return {"hashed": [w.created(w.SIGNED + when), w.issuer(key)], "more": more}

    def test_on_a_user_id(self):
        assert self.expiry(w.user_id(ALICE)) is None
        assert self.expiry(w.user_id(ALICE, **self.shape(0, 7))) == 7
        assert self.expiry(w.user_id(ALICE, **self.shape(0, 0))) is None

    def test_all_kinds_of_certification(self):
        for kind in (0x10, 0x11, 0x12, 0x13):
            assert self.expiry(w.user_id(ALICE, **self.shape(0, 7), type=kind)) == 7
        assert self.expiry(w.user_id(ALICE, **self.shape(0, 7), type=0x30)) == 0

    def test_on_the_key(self):
        assert self.expiry(w.direct(ALICE, **self.shape(0, 7))) == 7
        assert self.expiry(w.direct(ALICE)) is None

    def test_without_a_self_signature_it_is_always_expired(self):
        assert self.expiry() == 0
        assert self.expiry(w.user_id(ALICE, by=BOB)) == 0
        assert self.expiry(w.user_id(ALICE, by=BOB, hashed=[w.created()], unhashed=[])) == 0
        assert self.expiry(w.user_id(ALICE, digest="MD5")) == 0
        assert self.expiry(w.user_id(ALICE), w.subkey(ALICE, SUBKEY, by=BOB), of=SUBKEY) == 0
        assert self.expiry(w.subkey(ALICE, SUBKEY), of=SUBKEY) == 0

    def certified(self, **shape):
        """One more self-signature on a user ID."""
        return w.user_id(ALICE, **shape)[len(w.packet(w.USER_ID, b"Test <test@example.org>")) :]

    def test_the_newest_counts(self):
        old, new = w.user_id(ALICE, **self.shape(0, 7)), w.user_id(ALICE, **self.shape(1, 50))
        assert self.expiry(old, self.certified(**self.shape(1, 50))) == 50
        assert self.expiry(new, self.certified(**self.shape(0, 7))) == 50
        assert self.expiry(old, self.certified(**self.shape(1))) is None
        assert self.expiry(old, self.certified(by=BOB, **self.shape(1, 50, key=BOB))) == 7

    def test_the_newest_user_id_counts_that_says_something(self):
        old = w.user_id(ALICE, b"old", **self.shape(0, 7))
        new = w.user_id(ALICE, b"new", **self.shape(1, 50))
        none = w.user_id(ALICE, b"none", **self.shape(2))
        assert self.expiry(old, new) == self.expiry(new, old) == 50
        assert self.expiry(old, none, new) == 50
        assert self.expiry(new, w.user_id(ALICE, b"by bob", by=BOB, **self.shape(3, 1, key=BOB))) == 50

    def test_a_revoked_user_id_does_not_count(self):
        revoked = self.shape(1)
        both = w.user_id(ALICE, **self.shape(0, 7)), self.certified(type=w.CERTIFICATION_REVOCATION, **revoked)
        assert self.expiry(*both) == 0
        assert self.expiry(*both, w.user_id(ALICE, b"other")) is None
        assert self.expiry(*both, self.certified(**self.shape(2, 9))) == 9

    def test_of_two_made_at_once_the_first_to_end(self):
        one, other = w.user_id(ALICE, b"1", **self.shape(0, 7)), w.user_id(ALICE, b"2", **self.shape(0, 50))
        assert self.expiry(one, other) == self.expiry(other, one) == 7
        unlimited = w.user_id(ALICE, **self.shape(0))
        assert self.expiry(unlimited, self.certified(**self.shape(0, 7))) == 7

    def test_the_key_counts_before_its_user_ids_if_it_says_something(self):
        assert self.expiry(w.direct(ALICE, **self.shape(0, 7)), w.user_id(ALICE, **self.shape(1, 50))) == 7
        assert self.expiry(w.direct(ALICE, **self.shape(1, 7)), w.user_id(ALICE, **self.shape(0, 50))) == 7
        assert self.expiry(w.direct(ALICE, **self.shape(0, 7)), w.user_id(ALICE, **self.shape(1))) == 7
        assert self.expiry(w.direct(ALICE, **self.shape(1)), w.user_id(ALICE, **self.shape(0, 50))) == 50
        assert self.expiry(w.direct(ALICE, **self.shape(1)), w.user_id(ALICE, **self.shape(0))) is None
        newer = w.direct(ALICE, **self.shape(0, 7)) + w.direct(ALICE, **self.shape(1))
        assert self.expiry(newer, w.user_id(ALICE)) is None

    def test_sha1_counts(self):
        assert self.expiry(w.user_id(ALICE, **self.shape(0, 7), digest="SHA1")) == 7

    def test_a_flawed_self_signature_does_not(self):
        flawed = self.shape(1, 50)
        flawed["more"] = [*flawed["more"], w.subpacket(99, b"", critical=True)]
        assert self.expiry(w.user_id(ALICE, **self.shape(0, 7)), self.certified(**flawed)) == 7

    def test_an_expiry_that_is_no_number(self):
        more = [w.subpacket(9, b"\1")]
        assert self.expiry(w.user_id(ALICE, more=more)) is None

    def test_of_a_subkey(self):
        user_id = w.user_id(ALICE)
        assert self.expiry(user_id, w.subkey(ALICE, SUBKEY), of=SUBKEY) is None
        assert self.expiry(user_id, w.subkey(ALICE, SUBKEY, **self.shape(0, 7)), of=SUBKEY) == 7
        renewed = w.binding(ALICE, SUBKEY, **self.shape(1, 50))
        assert self.expiry(user_id, w.subkey(ALICE, SUBKEY, **self.shape(0, 7)), renewed, of=SUBKEY) == 50
        assert self.expiry(user_id, w.subkey(ALICE, SUBKEY, **self.shape(0, 7)), of=ALICE) is None

    def test_a_subkey_expires_with_its_primary_key(self):
        user_id = w.user_id(ALICE, **self.shape(0, 7))
        assert self.expiry(user_id, w.subkey(ALICE, SUBKEY), of=SUBKEY) == 7
        assert self.expiry(user_id, w.subkey(ALICE, SUBKEY, **self.shape(0, 50)), of=SUBKEY) == 7
        assert self.expiry(user_id, w.subkey(ALICE, SUBKEY, **self.shape(0, 3)), of=SUBKEY) == 3

    def test_it_counts_from_the_making_of_each_key(self):
        later = SUBKEY.created_at(w.CREATED + 10 * DAY)
        parts = w.user_id(ALICE), w.subkey(ALICE, later, **self.shape(0, 7))
        assert self.expiry(*parts, of=later) == 17
