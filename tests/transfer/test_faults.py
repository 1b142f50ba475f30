"""What a server, a disk and a clock may do, to each of the commands that fetch: the old verified state stays."""

import os
import sys

import gitserver
import pytest
from cli.scene import ALICE, MALLORY

from fixtures.lib.objects import GITLINK, SYMLINK, Entry

# --- what a server sends ---------------------------------------------------------------------------------------------


def test_something_else_than_it_advertises(way):
    upstream = way.upstream
    real, other = upstream.commit("next").encode(), b"1" * 40
    # The protocol's second version has the references in an answer, too; its packs are after their own head.
    upstream.server.rewrite = lambda body: body.replace(other, real)
    upstream.server.tamper = lambda _, content: [content.replace(real, other)]
    way.stays("fetch-failed")
    assert any(size > 300 for size in upstream.server.sent)  # a pack came
    upstream.server.rewrite = lambda body: body
    upstream.server.tamper = lambda _, content: [content]
    way.goes_on("next")


def test_another_commit_under_the_name_of_an_authentic_one(way):
    """It advertises what is authentic, and sends what somebody else has made."""
    upstream = way.upstream
    good = upstream.commit("next").encode()
    bad = upstream.history.commit("bad", {"README": "evil\n"}, parents=["third"], sign=MALLORY).encode()
    upstream.server.tamper = lambda _, content: [content.replace(bad, good)]
    upstream.server.rewrite = lambda body: body.replace(good, bad)
    way.stays("fetch-failed")


@pytest.mark.parametrize("kept", [0, 1, 200, -30])
def test_a_truncated_pack(way, kept):
    way.upstream.commit("next")
    way.upstream.server.tamper = lambda _, content: [content[:kept] if b"PACK" in content else content]
    way.stays("fetch-failed")
    way.upstream.server.tamper = lambda _, content: [content]
    way.goes_on("next")


def test_a_pack_without_end(way):
    way.upstream.commit("next")
    way.upstream.server.tamper = lambda _, content: endless(content) if b"PACK" in content else [content]
    way.stays("fetch-failed", GITVERIFY_MAX_SIZE="1M")
    assert "more than 1,048,576 bytes" in way.said
    kept = [path for path in (way.upstream.place / "cache").rglob("*.pack") if path.stat().st_size > 100_000]
    kept += list((way.upstream.place / "mirror").rglob("tmp_*"))
    assert not kept
    way.upstream.server.tamper = lambda _, content: [content]
    way.goes_on("next")


def endless(content):
    """Git would take it until the disk is full."""
    cut = os.urandom(60_000)
    yield content[: content.index(b"PACK") - 5]
    # A pack of many objects, the first of them a large one that does not compress.
    yield line(b"PACK" + (2).to_bytes(4, "big") + (1_000_000).to_bytes(4, "big") + b"\xb0\x80\x80\x80\x80\x01\x78\x01")
    while True:
        yield line(b"\x00" + len(cut).to_bytes(2, "little") + (len(cut) ^ 0xFFFF).to_bytes(2, "little") + cut)


def line(data):
    return b"%04x\x01" % (len(data) + 5) + data


def test_nothing_for_ever(way):
    def slow(content):
        yield content[: content.index(b"PACK") - 5]
        while True:
            yield b"000b\x02still "  # what it says is shown, and says nothing

    way.upstream.commit("next")
    way.upstream.server.tamper = lambda _, content: slow(content) if b"PACK" in content else [content]
    way.stays("fetch-failed", GITVERIFY_TIMEOUT="1s")
    assert "longer than 1 seconds" in way.said


def test_what_looks_like_something_else_on_a_terminal(way):
    said = b"ERR go \x1b[2J away \xe2\x80\xae"
    answer = b"%04x%s" % (len(said) + 4, said)
    way.upstream.server.tamper = lambda path, content: [content if "info/refs" in path else answer]
    way.stays("fetch-failed")
    assert "away" in way.said
    assert not {"\x1b", "\u202e"} & set(way.said)


# --- where a server leads --------------------------------------------------------------------------------------------


def test_to_another_protocol(way):
    way.upstream.commit("next")
    with gitserver.daemon(way.upstream.path.parent) as other:
        way.upstream.server.redirect = other
        way.stays("fetch-failed")


@pytest.mark.parametrize("where", ["file://{}", "file:///{}", "ext::touch%20{}/ran;", "ftp://127.0.0.1/{}", "{}"])
def test_to_a_file_or_a_program(way, where):
    way.upstream.commit("next")
    way.upstream.server.redirect = where.format(way.upstream.path.parent)
    way.stays("fetch-failed")
    assert not (way.upstream.place / "ran").exists()


def test_to_itself(way):
    way.upstream.server.redirect = way.upstream.server.url
    way.stays("fetch-failed")


def test_to_another_server(way, tmp_path):
    """Which is let pass: what is there is judged like anything else."""
    upstream = way.upstream
    upstream.commit("next")
    with gitserver.http(upstream.path.parent) as other:
        upstream.server.redirect = other.url
        way.goes_on("next")
        upstream.bad()
        way.stays("unauthorized-key")
        assert other.requests


def test_to_another_server_in_the_middle(way):
    """Which git follows at the beginning only: what was advertised here is not asked for elsewhere."""
    server = way.upstream.server
    way.upstream.commit("next")

    def lead(_, content):
        if b"version 2" in content:
            server.redirect = other.url
        return [content]

    with gitserver.http(way.upstream.path.parent) as other:
        server.tamper = lead
        assert way.reason() == "fetch-failed", way.said
        assert not other.requests
    server.redirect = None
    assert way.verified() == way.upstream.ids["third"]
    server.tamper = lambda _, content: [content]
    way.goes_on("next")


# --- what is asked for -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "ext::touch ran",
        "ext::touch% ran",
        "ext::sh -c touch% ran",
        "fd::17",
        "--upload-pack=touch ran",
        "-u./ran",
        "ssh://-oProxyCommand=touch% ran/x",
        "file://-x/x",
        "http://127.0.0.1:1/\nx",
    ],
)
def test_a_url_that_runs_something(way, url):
    way.upstream.server.requests.clear()
    before = way.state()
    assert way.reason(url=url) in {"usage", "argument"}
    assert way.state() == before
    assert not list(way.upstream.place.rglob("ran"))


# --- what becomes of a branch ----------------------------------------------------------------------------------------


def test_it_is_gone(way):
    heads = way.upstream.path / "refs/heads"
    (heads / "main").rename(heads / "other")
    way.stays("fetch-failed")


def test_it_was_rewritten(way):
    way.upstream.history.commit("instead", {"README": "x\n"}, parents=["second"], sign=ALICE)
    way.stays("rollback")


def test_it_was_set_back(way):
    way.upstream.point("second")
    way.stays("behind")
    way.upstream.point("third")
    way.upstream.commit("next")
    way.goes_on("next")


def test_it_was_set_back_and_so_was_the_clock(way, monkeypatch):
    way.upstream.point("second")
    set_clock(way, monkeypatch)
    way.stays("behind")
    way.upstream.point("third")
    way.upstream.commit("next")
    way.goes_on("next")


def set_clock(way, monkeypatch):
    """Have it be 2001."""
    monkeypatch.setattr("time.time", lambda: 1_000_000_000.0)
    for helper in way.upstream.place.glob("programs/git-remote-verified"):
        code = "import time; time.time = lambda: 1e9; import gitverify.cli.remote_verified as r; r.main()"
        helper.write_text(f"#!/bin/sh\nexec {sys.executable} -c '{code}' \"$@\"\n")


def test_it_leads_to_no_commit(way):
    tree = way.upstream.git("rev-parse", "main^{tree}")
    way.upstream.scene.repository.ref("refs/heads/main", tree)
    way.stays("malformed-commit", "fetch-failed")


# --- what a commit has in it -----------------------------------------------------------------------------------------


def test_a_symlink_with_the_name_of_a_directory(way):
    """R7: no tree has two entries of one name. A commit with such a tree is signed, and goes nowhere."""
    store = way.upstream.scene.repository.objects
    policy = way.upstream.history.files["third"][".gitverify.yaml"]
    policy = policy if isinstance(policy, bytes) else policy.encode()
    entries = [(0o100644, b".gitverify.yaml", store.write("blob", policy))]
    entries += [(SYMLINK, b"a", store.write("blob", b"/tmp")), (0o40000, b"a", store.tree({"pwned": b"x"}))]
    way.upstream.history.commit("twice", {}, sign=ALICE, tree=store.raw_tree(entries))
    way.stays("malformed-tree", "mirror-failed", "fetch-failed")


def test_a_submodule_whose_url_is_an_option(way):
    modules = '[submodule "x"]\n\tpath = x\n\turl = -u./payload\n'
    way.upstream.commit("hostile", **{".gitmodules": modules, "x": Entry(GITLINK, b"1" * 40)})
    if way.name == "fetch":  # which takes no note of submodules, but for an empty directory
        way.goes_on("hostile")
        assert not list((way.upstream.place / "out/x").iterdir())
    else:  # whoever clones from there might
        way.stays("mirror-failed")
        assert "submodule" in way.said


def test_a_submodule(way):
    """It is not fetched, and no server of its is asked."""
    url = f"{way.upstream.url}/x"
    modules = f'[submodule "x"]\n\tpath = x\n\turl = {url}\n'
    way.upstream.commit("submodule", **{".gitmodules": modules, "x": Entry(GITLINK, b"1" * 40)})
    with (way.upstream.place / ".gitconfig").open("a") as file:
        file.write("[fetch]\n\trecurseSubmodules = true\n")
    way.upstream.server.requests.clear()
    way.goes_on("submodule")
    assert not [path for path in way.upstream.server.requests if "/x" in path]


def test_attributes_with_filters_and_hooks(way):
    place = way.upstream.place
    with (place / ".gitconfig").open("a") as file:
        file.write(
            f"[core]\n\thooksPath = {place}/hooks\n"
            f'[filter "x"]\n\tsmudge = touch {place}/ran\n\tclean = touch {place}/ran\n\trequired = true\n'
        )
    (place / "hooks").mkdir()
    for name in ("post-checkout", "reference-transaction", "post-merge", "pre-receive", "update", "post-update"):
        (place / "hooks" / name).write_text(f"#!/bin/sh\ntouch {place}/ran\n")
        (place / "hooks" / name).chmod(0o755)
    attributes = "* filter=x diff=x merge=x text eol=crlf export-subst ident\nREADME export-ignore\n"
    way.upstream.commit("filters", **{".gitattributes": attributes, "id": "$Id$ $Format:%H$\n"})
    way.goes_on("filters")
    assert not (place / "ran").exists()


# --- what the environment says ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "variables",
    [
        {"GIT_DIR": "served/app.git", "GIT_COMMON_DIR": "served/app.git", "GIT_WORK_TREE": "."},
        {"GIT_OBJECT_DIRECTORY": "served/app.git/objects", "GIT_INDEX_FILE": "served/index"},
        {"GIT_ALTERNATE_OBJECT_DIRECTORIES": "served/app.git/objects", "GIT_QUARANTINE_PATH": "served/app.git/objects"},
        {"GIT_NAMESPACE": "x", "GIT_REPLACE_REF_BASE": "refs/heads/", "GIT_GRAFT_FILE": "grafts"},
        {"GIT_SHALLOW_FILE": "shallow", "GIT_DEFAULT_HASH": "sha256", "GIT_PROTOCOL": "version=0"},
        {"GIT_TEMPLATE_DIR": "template", "GIT_CEILING_DIRECTORIES": "/", "GIT_ALLOW_PROTOCOL": "ext:verified"},
        {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "url.ext::touch ran .insteadOf", "GIT_CONFIG_VALUE_0": "http"},
        {"GIT_CONFIG_PARAMETERS": "'protocol.ext.allow=always' 'remote-ext.x=y' 'fetch.bundleURI=file:///dev/null'"},
    ],
    ids=lambda variables: next(iter(variables)),
)
def test_variables_of_gits_that_lead_elsewhere(way, variables):
    """They are handed down by whatever git, or hook, runs us. What is there is fetched, and judged, as ever."""
    upstream, place = way.upstream, way.upstream.place
    (place / "grafts").write_text(f"{upstream.ids['third']}\n")
    (place / "shallow").write_text(f"{upstream.ids['third']}\n")
    (place / "template/hooks").mkdir(parents=True)
    leading = {name: str(place / value) if (place / value).exists() else value for name, value in variables.items()}
    upstream.commit("next")
    assert way.reason(**leading) is None, way.said
    assert way.verified() == upstream.ids["next"]
    upstream.bad()
    way.stays("unauthorized-key", **leading)
    upstream.point("next")
    way.goes_on("next")
    assert not list(place.rglob("ran"))
    assert not (place / "served/index").exists()
