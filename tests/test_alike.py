"""A decision is taken over only where nothing else could have had a say: each pair differs in what must count."""

import pytest
from cli.scene import ALICE, BOB, Scene, policies

from fixtures.lib.history import EPOCH
from fixtures.lib.keys import CAROL, EXPIRED, Signing

IN_TIME = 1_675_209_600  # before the key EXPIRED had expired


@pytest.fixture
def scene(tmp_path):
    return Scene(tmp_path)


def start(scene, policy, path=policies.NATIVE, **files):
    scene.history.commit("start", {path: policy, "README": "0\n", **files}, parents=[], sign=ALICE)


def reason(scene):
    report = scene.json("verify", "--introduction", "{start}", "--no-state")
    return report["reason"] and (report["reason"], report["refusals"][0]["commit"])


def test_many_alike_are_authentic_and_a_strange_one_is_not(scene):
    start(scene, policies.native({"alice": [ALICE]}))
    for number in range(5):
        scene.history.commit(f"c{number}", {"n": str(number)}, sign=ALICE)
    assert reason(scene) is None
    scene.history.commit("strange", {"n": "x"}, sign=BOB)
    assert reason(scene) == ("unauthorized-key", scene.ids["strange"])


def test_a_validity_window_ends_between_two(scene):
    line = f'alice@example.org {ALICE.line}\nbob@example.org valid-before="20240101050000Z" {BOB.line}\n'
    start(scene, line, policies.OPENSSH)
    for number in range(4):
        scene.history.commit(f"c{number}", {"n": str(number)}, sign=BOB)
    dates = [EPOCH + 3600 * n for n in range(4, 8)]
    ends = EPOCH + 5 * 3600
    late = next(n for n, date in enumerate(dates) if date > ends)
    assert late
    assert reason(scene) == ("expired-key", scene.ids[f"c{late}"])


def test_a_key_expires_between_two(scene):
    both = {"alice": [ALICE], "eve": [EXPIRED]}
    in_time = Signing(lambda payload, _: EXPIRED.sign(payload, IN_TIME))
    policy = policies.native(both, policies.OPENPGP_KEYS, "expired_keys: refuse")
    start(scene, policy, **policies.certificates(EXPIRED))
    scene.history.commit("one", {"n": "1"}, sign=in_time)
    scene.history.commit("two", {"n": "2"}, sign=in_time)
    assert reason(scene) is None
    scene.history.commit("three", {"n": "3"}, sign=EXPIRED)
    assert reason(scene) == ("expired-key", scene.ids["three"])


def test_an_editor_without_a_grant_changes_nothing_and_then_something(scene):
    both = {"alice": [ALICE], "bob": [BOB]}
    start(scene, policies.native(both, "policy_editors: [bob]", granted=["alice"]))
    scene.history.commit("empty", {}, sign=BOB)
    scene.history.commit("empty again", {}, sign=BOB)
    assert reason(scene) is None
    scene.history.commit("content", {"README": "1\n"}, sign=BOB)
    assert reason(scene) == ("unauthorized-path", scene.ids["content"])


def test_a_certificate_goes_between_two(scene):
    both = {"alice": [ALICE], "carol": [CAROL]}
    # The introduction's own certificates always count, so this one comes later.
    start(scene, policies.native(both, policies.OPENPGP_KEYS))
    scene.history.commit("brought", policies.certificates(CAROL), sign=ALICE)
    scene.history.commit("one", {"n": "1"}, sign=CAROL)
    scene.history.commit("two", {"n": "2"}, sign=CAROL)
    assert reason(scene) is None
    scene.history.commit("gone", dict.fromkeys(policies.certificates(CAROL)), sign=CAROL)
    assert reason(scene) is None
    scene.history.commit("three", {"n": "3"}, sign=CAROL)
    assert reason(scene) == ("unknown-key", scene.ids["three"])


def test_certificates_below_another_root(scene):
    both = {"alice": [ALICE], "carol": [CAROL]}
    start(scene, policies.native(both, policies.OPENPGP_KEYS))
    moved = policies.native(both, "openpgp_keys: elsewhere/")
    # Those of the old place count no more, but with them the signatures prove at once.
    both_places = {"elsewhere/carol.asc": CAROL.certificate, **policies.certificates(CAROL)}
    scene.history.commit("moved", {policies.NATIVE: moved, **both_places}, sign=ALICE)
    scene.history.commit("one", {"n": "1"}, sign=CAROL)
    scene.history.commit("gone", {"elsewhere/carol.asc": None, "elsewhere/x": ""}, sign=CAROL)
    assert reason(scene) is None
    scene.history.commit("two", {"n": "2"}, sign=CAROL)
    assert reason(scene) == ("unknown-key", scene.ids["two"])


def test_a_policy_that_was_accepted_elsewhere_is_not_accepted_here(scene):
    both = {"alice": [ALICE], "bob": [BOB]}
    start(scene, policies.native(both, "policy_editors: [alice]"))
    scene.history.commit("base", {"n": "0"}, sign=BOB)
    newer = policies.native(both, "policy_editors: [alice, bob]")
    scene.history.commit("newer", {policies.NATIVE: newer}, sign=ALICE)
    scene.history.commit("one", {"n": "1"}, sign=BOB)
    assert reason(scene) is None
    scene.history.commit("taken", {policies.NATIVE: newer}, parents=["base"], sign=BOB)
    scene.history.commit("merge", {"n": "1", policies.NATIVE: newer}, parents=["one", "taken"], sign=ALICE)
    assert reason(scene) == ("policy-unauthorized", scene.ids["taken"])


def test_a_certificate_does_not_count_for_the_commit_that_brings_it(scene):
    both = {"alice": [ALICE], "carol": [CAROL]}
    start(scene, policies.native(both, policies.OPENPGP_KEYS))
    scene.history.commit("base", {"n": "0"}, sign=ALICE)
    brought = policies.certificates(CAROL)
    scene.history.commit("brought", brought, sign=ALICE)
    scene.history.commit("one", {"n": "1"}, sign=CAROL)
    assert reason(scene) is None
    scene.history.commit("by herself", brought, parents=["base"], sign=CAROL)
    scene.history.commit("merge", {"n": "1", **brought}, parents=["one", "by herself"], sign=ALICE)
    assert reason(scene) == ("unknown-key", scene.ids["by herself"])


def test_what_counts_on_the_main_line_does_not_to_the_side(scene):
    both = policies.native({"alice": [ALICE], "bob": [BOB]})
    scene.history.commit("before", {policies.NATIVE: both, "README": "0\n"}, parents=[], sign=ALICE)
    alone = policies.native({"alice": [ALICE]})
    scene.history.commit("start", {policies.NATIVE: alone}, parents=["before"], sign=ALICE)
    scene.history.commit("back", {policies.NATIVE: both}, sign=ALICE)
    scene.history.commit("one", {"n": "1"}, sign=BOB)
    assert reason(scene) is None
    scene.history.commit("side", {"s": "1"}, parents=["before"], sign=ALICE)
    scene.history.commit("stranger", {"s": "2"}, parents=["side"], sign=BOB)
    scene.history.commit("merge", {"n": "1", "s": "2"}, parents=["one", "stranger"], sign=ALICE)
    assert reason(scene) == ("unauthorized-key", scene.ids["stranger"])
