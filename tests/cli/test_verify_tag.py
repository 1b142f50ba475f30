"""``verify-tag``: each attack beside the same thing done honestly."""

import pytest

from fixtures.lib import keys, policies
from fixtures.lib.objects import framed
from gitverify.limits import LIMITS
from tests.cli.scene import ALICE, BOB, MALLORY
from tests.cli.tagscene import BOTH, Tags, accepted, refused


@pytest.fixture
def tags(tmp_path):
    return Tags(tmp_path)


# --- T1 to T3: the tag itself ---------------------------------------------------------------------------------------


def test_a_signed_tag(tags):
    tag = tags.tag("v1")
    report = tags.ask()
    accepted(report)
    assert report["tag"] == {"name": "v1", "id": tag, "person": "alice", "key": ALICE.id}
    assert report["tip"] == tags.ids["third"]
    assert report["mark"] == {"before": [], "after": []}


def test_for_people(tags):
    tags.tag("v1")
    done = tags.run("verify-tag", "v1", "--introduction", "{introduction}")
    assert done.status == 0
    assert done.stdout.startswith(f"authentic: tag v1 of {tags.ids['third'][:12]} “third”\n")
    assert f"signed by alice, key {ALICE.id}" in done.stdout
    assert "no branch of this repository has been verified here before" in " ".join(done.stdout.split())


def test_a_refusal_for_people(tags):
    tag = tags.tag("v2", said="v1")
    done = tags.run("verify-tag", "v2", "--introduction", "{introduction}")
    assert done.status == 1
    assert done.stdout.startswith(f"not authentic: tag v2 of {tags.ids['third']}")
    assert f"tag      {tag}" in done.stdout
    assert "tag-name (T2)" in done.stdout


def test_a_lightweight_tag(tags):
    tags.repository.ref("refs/tags/v1", tags.ids["third"])
    refused(tags.ask(), "tag-not-annotated", "T1")


@pytest.mark.parametrize(
    ("ref", "said"),
    [
        ("v2", "v1"),
        ("V1", "v1"),
        ("x/v1", "v1"),
        ("v1", "x/v1"),
        ("v1", "refs/tags/v1"),
        ("v1", "v1\x1b[2J"),
        ("v1", "v1 "),
    ],
)
def test_a_tag_under_another_name(tags, ref, said):
    tags.tag(ref, said=said)
    message = refused(tags.ask(ref), "tag-name", "T2")["message"]
    assert "\x1b" not in message
    tags.tag(ref)
    accepted(tags.ask(ref))


def test_a_symbolic_reference_does_not_rename(tags):
    tags.tag("v1")
    tags.repository.write("refs/tags/v2", "ref: refs/tags/v1\n")
    refused(tags.ask("v2"), "tag-name", "T2")
    accepted(tags.ask("v1"))


def test_a_name_that_is_no_utf8(tags):
    tags.tag("v\udce9")
    done = tags.run("verify-tag", tags.ids["tag-v\udce9"], "--as", "v\udce9", "--introduction", "{introduction}")
    assert done.status == 0
    assert "tag v\\xe9 of" in done.stdout


def test_a_nested_tag(tags):
    tags.tag("inner")
    tags.tag("v1", tags.ids["tag-inner"], kind="tag")
    refused(tags.ask(), "tag-nested", "T3")
    accepted(tags.ask("inner"))


def test_a_tag_of_a_tree_or_a_file(tags):
    tree = tags.repository.objects.tree({"README": b"x"})
    blob = tags.repository.objects.write("blob", b"x")
    tags.tag("tree", tree, kind="tree")
    tags.tag("blob", blob, kind="blob")
    tags.tag("liar", tree)
    for name in ("tree", "blob", "liar"):
        refused(tags.ask(name), "tag-target", "T3")


def test_a_commit_that_calls_itself_a_tag_in_the_header(tags):
    tags.tag("v1", kind="tag")
    refused(tags.ask(), "tag-nested", "T3")


@pytest.mark.parametrize(
    "headers",
    [b"tag v1\n", b"tagger T <t@example.org> 1 +0000\n", b"gpgsig x\n", b"type commit\n", b"anything else\n"],
)
def test_further_header_fields(tags, headers):
    tags.tag("v1", headers=headers)
    refused(tags.ask(), "malformed-tag", "T1")


def test_a_tag_that_is_too_large(tags):
    tags.tag("v1", message=b"x" * LIMITS.tag_size)
    refused(tags.ask(), "malformed-tag", "T1")


def test_a_missing_tag_object(tags):
    tag = tags.tag("v1")
    tags.repository.objects.remove(tag)
    report = tags.ask()
    assert (report["exit"], report["reason"]) == (3, "missing-object")


def test_a_missing_target(tags):
    tags.tag("v1", "ab" * 20)
    report = tags.ask()
    assert (report["exit"], report["reason"]) == (3, "missing-object")


def test_a_tag_object_with_other_bytes_than_its_id_says(tags):
    tag = tags.tag("v1")
    payload = tags.payload("v1", "second")
    tags.repository.objects.write_as(tag, framed("tag", payload + ALICE.sign(payload)))
    report = tags.ask()
    assert (report["exit"], report["reason"]) == (3, "missing-object")
    assert "damaged" in report["refusals"][0]["message"]


# --- how a tag is named ---------------------------------------------------------------------------------------------


def test_a_branch_of_the_same_name(tags):
    tags.history.branch("v1", "second")
    done = tags.run("verify-tag", "v1", "--introduction", "{introduction}")
    assert done.status == 2
    assert "there is a branch of that name" in str(done.error)
    tags.tag("v1")
    report = tags.ask()
    accepted(report)
    assert report["tip"] == tags.ids["third"]


def test_a_tag_by_its_full_name(tags):
    tags.tag("v1")
    accepted(tags.ask("refs/tags/v1"))


def test_a_tag_that_is_called_like_a_reference(tags):
    tags.tag("refs/tags/v1")
    done = tags.run("verify-tag", "refs/tags/v1", "--introduction", "{introduction}")
    assert done.status == 2
    accepted(tags.ask("refs/tags/refs/tags/v1"))


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("v9", "git fetch --tags"),
        ("refs/heads/main", "tags are below refs/tags/"),
        ("HEAD", "there is no tag"),
        ("v1^{{commit}}", "there is no tag"),
        ("x" * 2000, "the limit is 1,000"),
        ("v\udce9", "there is no tag"),
        ("", "there is no tag"),
    ],
)
def test_what_names_no_tag(tags, name, says):
    tags.tag("v1")
    done = tags.run("verify-tag", name, "--introduction", "{introduction}")
    assert done.status == 2
    assert says in str(done.error)


def test_an_object_id_has_no_name(tags):
    tags.tag("v1")
    done = tags.run("verify-tag", "{tag-v1}", "--introduction", "{introduction}")
    assert done.status == 2
    assert "--as NAME" in str(done.error)
    accepted(tags.ask("{tag-v1}", "--as", "v1"))
    refused(tags.ask("{tag-v1}", "--as", "v2"), "tag-name", "T2")


def test_a_tag_that_is_named_cannot_be_asked_for_as_another(tags):
    tags.tag("v2", said="v1")
    done = tags.run("verify-tag", "v2", "--as", "v1", "--introduction", "{introduction}")
    assert done.status == 2


def test_a_replaced_tag(tags):
    """Git shows the other one."""
    good, bad = tags.tag("v1"), tags.tag("bad", said="v1", sign=MALLORY)
    tags.repository.ref(f"refs/replace/{bad}", good)
    tags.repository.ref("refs/tags/v1", bad)
    assert tags.git("cat-file", "tag", bad).stdout == tags.git("cat-file", "tag", good).stdout
    refused(tags.ask(), "unauthorized-key", "R8")


# --- T4: what is tagged ---------------------------------------------------------------------------------------------


def test_a_commit_that_is_not_authentic(tags):
    tags.history.commit("junk", {"README": "junk\n"})
    tags.tag("v1", "junk")
    report = tags.ask()
    refused(report, "unsigned", "R8")
    assert report["refusals"][0]["commit"] == tags.ids["junk"]


def test_a_commit_below_the_introduction(tags):
    tags.history.commit("older", {"README": "0\n"}, parents=[], sign=ALICE)
    tags.tag("v1", "older")
    refused(tags.ask(), "not-descendant", "R2")


def test_the_introduction_itself(tags):
    tags.tag("v1", "introduction")
    accepted(tags.ask())
    tags.accept()
    accepted(tags.ask())


def test_no_introduction(tags):
    tags.tag("v1")
    report = tags.json("verify-tag", "v1")
    assert (report["exit"], report["reason"]) == (4, "introduction-not-configured")


def test_the_introduction_is_checked_first(tags):
    tags.tag("v1", said="v2")
    report = tags.ask("v1", "--signer", MALLORY.id)
    assert report["reason"] == "introduction-signer"


def test_a_shallow_clone(tags):
    tags.tag("v1")
    tags.repository.objects.remove(tags.ids["second"])
    report = tags.ask()
    assert (report["exit"], report["reason"]) == (3, "missing-object")


# --- T5: who signed it ----------------------------------------------------------------------------------------------


def test_no_signature(tags):
    tags.tag("v1", sign=None)
    refused(tags.ask(), "unsigned", "R8")


def test_somebody_who_is_not_listed(tags):
    tags.tag("v1", sign=MALLORY)
    refused(tags.ask(), "unauthorized-key", "R8")


def test_somebody_who_is_listed_but_not_for_tags(tags):
    policy = policies.native(BOTH, "tags: [alice]")
    tags.history.commit("fewer", {policies.NATIVE: policy}, sign=ALICE)
    tags.tag("v1", "fewer", sign=BOB)
    assert refused(tags.ask(), "unauthorized-key", "T5")["person"] == "bob"
    tags.tag("v2", "fewer")
    accepted(tags.ask("v2"))


def test_by_default_whoever_may_change_everything(tags):
    policy = policies.native(BOTH, limited={"bob": ["pkgs/"]})
    tags.history.commit("limited", {policies.NATIVE: policy}, sign=ALICE)
    tags.tag("v1", "limited", sign=BOB)
    refused(tags.ask(), "unauthorized-key", "T5")


def test_the_policy_of_the_tagged_commit_counts_not_its_parents(tags):
    tags.drop()
    tags.tag("v1", "dropped", sign=BOB)
    tags.tag("v0", "third", sign=BOB)
    refused(tags.ask("v1"), "unauthorized-key", "R8")
    accepted(tags.ask("v0"), "bob")


def test_a_payload_that_was_changed(tags):
    payload = tags.payload("v1")
    tags.put("v1", payload.replace(b"release", b"malware") + ALICE.sign(payload))
    refused(tags.ask(), "bad-signature", "R8")


def test_the_signature_of_another_tag(tags):
    tags.put("v2", tags.payload("v2") + ALICE.sign(tags.payload("v1")))
    refused(tags.ask("v2"), "bad-signature", "R8")


def test_the_signature_of_a_commit(tags):
    raw = tags.git("cat-file", "commit", tags.ids["third"]).stdout.encode()
    signature = raw.partition(b"gpgsig ")[2].partition(b"\n\n")[0].replace(b"\n ", b"\n") + b"\n"
    tags.put("v1", tags.payload("v1") + signature)
    refused(tags.ask(), "bad-signature", "R8")


def test_the_wrong_namespace(tags):
    payload = tags.payload("v1")
    tags.put("v1", payload + ALICE.signature(payload, namespace=b"file"))
    refused(tags.ask(), "bad-signature", "R8")


def test_another_signature_in_the_message(tags):
    """The last one counts, and what comes before it is text that it covers."""
    mallory = tags.payload("v1") + MALLORY.sign(tags.payload("v1"))
    tags.put("v1", mallory + ALICE.sign(mallory))
    accepted(tags.ask("v1"))
    alice = tags.payload("v2") + ALICE.sign(tags.payload("v2"))
    tags.put("v2", alice + MALLORY.sign(alice))
    refused(tags.ask("v2"), "unauthorized-key", "R8")
    tags.put("v3", tags.payload("v3") + ALICE.sign(tags.payload("v3")) + b"-----BEGIN PGP SIGNATURE-----\n\nxx\n")
    refused(tags.ask("v3"), "unsupported-signature", "R8")


def test_text_after_the_signature(tags):
    """Git shows it as part of the message, and nobody signed it."""
    signed = tags.payload("v1") + ALICE.sign(tags.payload("v1"))
    tags.put("v1", signed + b"Get it from https://evil.example\n")
    assert tags.ask()["exit"] == 1
    tags.put("v1", signed)
    accepted(tags.ask())


def test_a_second_signature_in_the_header(tags):
    """As a tag has it that was made for both of git's hashes."""
    head, _, message = tags.payload("v1").partition(b"\n\n")
    field = b"\ngpgsig-sha256 x\n y\n\n"
    tags.put("v1", head + field + message + ALICE.sign(tags.payload("v1")))
    accepted(tags.ask())
    covered = head + field + message
    tags.put("v2", covered + ALICE.sign(covered))
    assert tags.ask("v2")["exit"] == 1


def test_openpgp(tags):
    policy = policies.native(BOTH | {"carol": [keys.CAROL]}, policies.OPENPGP_KEYS)
    tags.history.commit("pgp", {policies.NATIVE: policy} | policies.certificates(keys.CAROL), sign=ALICE)
    tags.tag("v1", "pgp", sign=keys.CAROL)
    accepted(tags.ask(), "carol")
    tags.tag("v2", "pgp", sign=keys.DAVE)
    refused(tags.ask("v2"), "unknown-key", "R8")


def test_a_key_that_is_known_to_be_in_other_hands(tags):
    policy = policies.native(BOTH | {"carol": [keys.REVOKED]}, policies.OPENPGP_KEYS)
    files = {policies.NATIVE: policy} | policies.certificates(keys.REVOKED)
    tags.history.commit("pgp", files, sign=ALICE)
    tags.tag("v1", "pgp", sign=keys.REVOKED)
    refused(tags.ask(), "revoked-key", "R12")


# --- T6: who signed it, and is listed still -------------------------------------------------------------------------


def test_a_removed_person_tags_an_old_commit(tags):
    tags.tag("v1", sign=BOB)
    tags.accept()
    accepted(tags.ask(), "bob")
    tags.drop()
    accepted(tags.ask(), "bob")  # nobody here has seen it yet
    tags.accept()
    refusal = refused(tags.ask(), "unauthorized-key", "T6")
    assert tags.ids["dropped"][:12] in refusal["message"]
    accepted(tags.ask("v1", "--historic"), "bob")
    accepted(tags.ask("v1", "--no-state"), "bob")
    tags.tag("v2")
    accepted(tags.ask("v2"))


def test_somebody_who_signs_no_tags_any_more(tags):
    tags.tag("v1", sign=BOB)
    tags.history.commit("fewer", {policies.NATIVE: policies.native(BOTH, "tags: [alice]")}, sign=ALICE)
    tags.accept()
    refused(tags.ask(), "unauthorized-key", "T6")


def test_a_certificate_that_has_gone_since(tags):
    """Its key could sign nothing any more."""
    policy = policies.native(BOTH | {"carol": [keys.CAROL]}, policies.OPENPGP_KEYS)
    tags.history.commit("pgp", {policies.NATIVE: policy} | policies.certificates(keys.CAROL), sign=ALICE)
    tags.tag("v1", "pgp", sign=keys.CAROL)
    tags.history.commit("gone", {".gitverify/keys/carol.asc": None}, sign=ALICE)
    accepted(tags.ask(), "carol")
    tags.accept()
    refused(tags.ask(), "unknown-key", "T6")


# --- the other dialects ---------------------------------------------------------------------------------------------


def start(tags, dialect, policy, sign):
    tags.history.commit("start", {dialect: policy, "README": "one\n"}, parents=[], sign=sign)
    tags.history.commit("next", {"README": "two\n"}, sign=sign)


def asked(tags, name="v1", *arguments):
    return tags.json("verify-tag", name, "--introduction", "{start}", *arguments)


def test_openssh_everybody_tags(tags):
    start(tags, policies.OPENSSH, policies.openssh((ALICE, ""), (BOB, 'namespaces="file"')), ALICE)
    tags.tag("v1", "next")
    accepted(asked(tags), "alice@example.org")
    tags.tag("v2", "next", sign=BOB)
    refused(asked(tags, "v2"), "unauthorized-key", "R22b")


@pytest.mark.parametrize("date", [1_600_000_000, 1_800_000_000])
def test_openssh_a_tagger_who_lies_about_the_date(tags, date):
    """The key's time was over before the commit was made; a tag is no older than what it tags."""
    both = policies.openssh((ALICE, ""), (BOB, 'valid-before="20240101000000Z"'))
    start(tags, policies.OPENSSH, both, ALICE)
    tags.tag("v1", "next", sign=BOB, date=date)
    refused(asked(tags), "expired-key", "R22b")
    tags.history.commit("later", {policies.OPENSSH: policies.openssh((ALICE, ""), (BOB, ""))}, sign=ALICE)
    tags.tag("v2", "later", sign=BOB, date=date)
    accepted(asked(tags, "v2"), "bob@example.org")


def test_openssh_takes_no_openpgp(tags):
    start(tags, policies.OPENSSH, policies.openssh((ALICE, "")), ALICE)
    tags.tag("v1", "next", sign=keys.CAROL)
    refused(asked(tags), "unsupported-signature", "R8")


def test_guix_whoever_the_tagged_commit_authorizes(tags):
    history = tags.history
    history.commit("keyring", {f"{key.name}.key": key.certificate for key in (keys.CAROL, keys.ERIN)}, parents=[])
    history.branch("keyring", "keyring")
    start(tags, policies.GUIX, policies.guix(keys.CAROL, keys.ERIN), keys.CAROL)
    tags.tag("v1", "next", sign=keys.ERIN)
    report = asked(tags)
    accepted(report, report["tag"]["person"])
    assert report["dialect"] == "guix"
    history.commit("dropped", {policies.GUIX: policies.guix(keys.CAROL)}, sign=keys.CAROL)
    tags.tag("v2", "dropped", sign=keys.ERIN)
    refused(asked(tags, "v2"), "unauthorized-key", "R8")
    assert tags.json("verify", "main", "--introduction", "{start}")["exit"] == 0
    refused(asked(tags), "unauthorized-key", "T6")
    tags.tag("v3", "next")
    refused(asked(tags, "v3"), "unsupported-signature", "R8")


# --- what git and its tools say of the same tags ---------------------------------------------------------------------


def test_a_tag_that_git_made(tags):
    key = tags.place / "alice"
    key.write_bytes((keys.KEYS / "ssh" / "alice").read_bytes())
    key.chmod(0o600)
    tags.git("config", "user.name", "Alice")
    tags.git("config", "user.email", "alice@example.org")
    tags.git("config", "gpg.format", "ssh")
    tags.git("config", "user.signingKey", str(key))
    made = tags.git("tag", "-s", "v1", "-m", "release", tags.ids["third"])
    assert made.returncode == 0, made.stderr
    accepted(tags.ask())
    assert tags.git("tag", "-f", "-s", "nested", "-m", "again", "v1").returncode == 0
    refused(tags.ask("nested"), "tag-nested", "T3")


def test_git_and_we_differ_where_the_documentation_says(tags):
    (tags.place / "signers").write_text(f"alice@example.org {ALICE.line}\n")
    tags.git("config", "gpg.ssh.allowedSignersFile", str(tags.place / "signers"))
    honest = tags.payload("v1") + ALICE.sign(tags.payload("v1"))
    tags.put("v1", honest)
    tags.put("other", honest)
    tags.put("trailing", tags.payload("trailing") + ALICE.sign(tags.payload("trailing")) + b"unsigned text\n")
    tags.tag("field", headers=b"extra field\n")
    git_says = {name: tags.git("verify-tag", name).returncode for name in ("v1", "other", "trailing", "field")}
    assert git_says == dict.fromkeys(git_says, 0)
    assert {name: tags.ask(name)["exit"] for name in git_says} == {"v1": 0, "other": 1, "trailing": 1, "field": 1}


# --- verify follows a tag, and says so (R4) ------------------------------------------------------------------------


@pytest.mark.parametrize("rev", ["v1", "tags/v1", "refs/tags/v1"])
def test_verify_says_that_the_tag_was_not_looked_at(tags, rev):
    tags.tag("v1", sign=MALLORY)
    done = tags.run("verify", rev, "--introduction", "{introduction}", "--no-state")
    assert done.status == 0
    assert "gitverify verify-tag v1" in " ".join(done.stdout.split())


@pytest.mark.parametrize("rev", ["main", "{third}", "light", "HEAD"])
def test_verify_says_nothing_of_tags_where_there_is_none(tags, rev):
    tags.tag("v1")
    tags.repository.ref("refs/tags/light", tags.ids["third"])
    done = tags.run("verify", rev, "--introduction", "{introduction}", "--no-state")
    assert done.status == 0
    assert "verify-tag" not in done.stdout


# --- what is configured, and what else an earlier run may have left -------------------------------------------------


def test_settings_from_the_working_tree(tags):
    tags.tag("v1")
    (tags.path / "extra").write_text("[gitverify]\n\tintroduction = " + tags.ids["third"] + "\n")
    tags.repository.configure("[include]\n\tpath = ../extra\n")
    report = tags.ask()
    assert (report["exit"], report["reason"]) == (4, "config-untrusted")


def test_the_configured_introduction(tags):
    tags.tag("v1")
    tags.git("config", "gitverify.introduction", tags.ids["introduction"])
    accepted(tags.json("verify-tag", "v1"))


def test_how_old_the_newest_commit_is_does_not_matter(tags):
    tags.tag("v1")
    tags.git("config", "gitverify.maxAge", "1d")
    accepted(tags.ask())


def test_a_refused_tag_that_names_no_commit(tags):
    tags.tag("inner")
    tag = tags.tag("v1", "{}".format(tags.ids["tag-inner"]), kind="tag")
    done = tags.run("verify-tag", "v1", "--introduction", "{introduction}")
    assert done.stdout.startswith(f"not authentic: tag v1\n  tag-nested (T3)\n    tag      {tag}\n")


def test_many_processes_say_the_same(tags):
    tags.tag("v1")
    accepted(tags.ask("v1", "--jobs", "3"))
    accepted(tags.ask("v1", "--jobs", "1"))
