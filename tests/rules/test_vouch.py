"""Who vouches under one policy (R8, R9, R11, R12, R22b)."""

import pytest
from rules.world import PRIMARY, SUBKEY, Keys, commit, pgp, policy, ssh

from gitverify.policies.model import Dialect, SshKeySpec
from gitverify.rules.vouch import NotVouchedFor, counts_at, vouchers


def people(facts, its_policy, material=None):
    return [(v.person, v.listed, v.key) for v in vouchers(facts, facts.examined, its_policy, material or Keys())]


def refused(facts, its_policy, material=None):
    with pytest.raises(NotVouchedFor) as caught:
        people(facts, its_policy, material)
    assert str(caught.value) == caught.value.message
    assert caught.value.key == facts.examined.key
    return caught.value.code, caught.value.rule


def openpgp(key):
    return commit("", key=key, made_at=50)


class TestOpenPgp:
    LISTED = policy("alice", specs={"alice": pgp()})
    BOUND = Keys(bound={SUBKEY: [PRIMARY]}, certified={PRIMARY, SUBKEY})

    def test_the_key_itself_and_a_bound_subkey(self):
        assert people(openpgp(PRIMARY), self.LISTED, self.BOUND) == [("alice", PRIMARY, PRIMARY)]
        assert people(openpgp(SUBKEY), self.LISTED, self.BOUND) == [("alice", PRIMARY, SUBKEY)]

    def test_a_subkey_that_is_not_bound(self):
        assert refused(openpgp(SUBKEY), self.LISTED, Keys(certified={SUBKEY})) == ("unauthorized-key", "R8")

    def test_a_subkey_where_none_are_wanted(self):
        alone = policy("alice", specs={"alice": pgp(subkeys=False)})
        assert refused(openpgp(SUBKEY), alone, self.BOUND) == ("unauthorized-key", "R8")
        assert people(openpgp(PRIMARY), alone, self.BOUND) == [("alice", PRIMARY, PRIMARY)]

    def test_a_subkey_of_a_key_that_is_not_listed(self):
        foreign = Keys(bound={SUBKEY: ["C" * 40]}, certified={SUBKEY})
        assert refused(openpgp(SUBKEY), self.LISTED, foreign) == ("unauthorized-key", "R8")

    def test_in_the_guix_dialect_a_subkey_is_listed_itself(self):
        guix = policy("alice", specs={"alice": pgp(subkeys=True)}, dialect=Dialect.GUIX)
        assert refused(openpgp(SUBKEY), guix, self.BOUND) == ("unauthorized-key", "R8")

    def test_material_is_asked_where_the_commit_is_judged(self):
        assert refused(openpgp(PRIMARY), self.LISTED, Keys()) == ("unknown-key", "R8")

    def test_revoked(self):
        revoked = Keys(certified={PRIMARY}, is_revoked=True)
        assert refused(openpgp(PRIMARY), self.LISTED, revoked) == ("revoked-key", "R12")
        guix = policy("alice", specs={"alice": pgp()}, dialect=Dialect.GUIX)
        assert people(openpgp(PRIMARY), guix, revoked) == [("alice", PRIMARY, PRIMARY)]

    def test_expired_only_where_the_policy_cares(self):
        expired = Keys(certified={PRIMARY}, is_expired=True)
        assert people(openpgp(PRIMARY), self.LISTED, expired)
        strict = policy("alice", specs={"alice": pgp()}, refuse_expired_keys=True)
        assert refused(openpgp(PRIMARY), strict, expired) == ("expired-key", "R12")
        assert people(openpgp(PRIMARY), strict, Keys(certified={PRIMARY}))


class TestSsh:
    def windowed(self, **window):
        return policy("alice", specs={"alice": (SshKeySpec(ssh("alice"), b"", **window),)}, dialect=Dialect.OPENSSH)

    @pytest.mark.parametrize(
        ("window", "code"),
        [
            ({"valid_after": 100}, None),
            ({"valid_after": 101}, "unauthorized-key"),
            ({"valid_before": 100}, None),
            ({"valid_before": 99}, "expired-key"),
            ({"for_git": False}, "unauthorized-key"),
        ],
    )
    def test_an_entrys_options(self, window, code):
        if code is None:
            assert people(commit(date=100), self.windowed(**window))
        else:
            assert refused(commit(date=100), self.windowed(**window)) == (code, "R22b")

    def test_any_of_several_entries_will_do(self):
        entries = (SshKeySpec(ssh("k"), b"", valid_before=1), SshKeySpec(ssh("k"), b""))
        two = policy("old", "new", specs={"old": entries[:1], "new": entries[1:]}, dialect=Dialect.OPENSSH)
        assert people(commit("k"), two) == [("new", ssh("k"), ssh("k"))]

    def test_of_several_problems_the_first_is_told(self):
        entries = (SshKeySpec(ssh("k"), b"", valid_before=1), SshKeySpec(ssh("k"), b"", for_git=False))
        for first, second, code in ((*entries, "expired-key"), (*entries[::-1], "unauthorized-key")):
            both = policy("one", "two", specs={"one": (first,), "two": (second,)}, dialect=Dialect.OPENSSH)
            assert refused(commit("k"), both) == (code, "R22b")

    def test_no_certificate_binds_an_ssh_key(self):
        listed = policy("alice", specs={"alice": pgp()})
        bound = Keys(bound={ssh("k"): [PRIMARY]}, certified={PRIMARY, ssh("k")})
        assert refused(commit("k"), listed, bound) == ("unauthorized-key", "R8")

    def test_security_keys(self):
        strict = policy("alice", require_user_verification=True)
        assert people(commit(user_verified=True), strict)
        assert people(commit(user_verified=None), strict)
        assert refused(commit(user_verified=False), strict) == ("bad-signature", "R9")
        assert people(commit(user_verified=False), policy("alice"))


def test_at_what_date_a_listed_key_counts():
    window = (SshKeySpec(ssh("alice"), b"", valid_after=10, valid_before=20),)
    listed = policy("alice", "bob", dialect=Dialect.OPENSSH, specs={"alice": window})
    assert [date for date in (9, 10, 20, 21) if counts_at(ssh("alice"), date, listed, Keys())] == [10, 20]
    assert counts_at(ssh("bob"), 9, listed, Keys())
    assert not counts_at(ssh("mallory"), 15, listed, Keys())
    other = (SshKeySpec(ssh("alice"), b"", for_git=False),)
    elsewhere = policy("alice", dialect=Dialect.OPENSSH, specs={"alice": other})
    assert not counts_at(ssh("alice"), 15, elsewhere, Keys())
    certified = policy("alice", specs={"alice": pgp()})
    assert counts_at(PRIMARY, 15, certified, Keys(certified={PRIMARY}))
