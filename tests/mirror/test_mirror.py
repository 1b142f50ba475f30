"""``gitverify mirror``: whatever a server does, and whenever a run is killed, the verified state stays."""

import errno
import json
import os
import shutil
import subprocess
import tarfile
from io import BytesIO
from types import SimpleNamespace

import gitserver
import pytest
from cli.scene import ALICE, BOB
from gitrepo import ENVIRONMENT

from fixtures.lib import guix
from fixtures.lib.keys import CAROL
from gitverify.mirror.promote import Verified


class Mirror:
    """A mirror of an upstream's ``main``."""

    def __init__(self, upstream):
        self.upstream = upstream
        self.path = upstream.place / "mirror"
        self.first = ["--url", upstream.url, "--branch", "main", *upstream.anchor]

    def words(self, *arguments):
        return ["mirror", "update", self.path.name, *arguments, "--jobs", "1"]

    def update(self, *arguments, **environment):
        done = self.upstream.scene_run(*self.words(*arguments, "--format", "json"), **environment)
        done.branches = json.loads(done.stdout)["branches"] if "branches" in done.stdout else []
        done.reason = done.branches[0]["reason"] if done.branches else None
        return done

    def status(self):
        done = self.upstream.scene_run("mirror", "status", "mirror", "--format", "json")
        assert done.status == 0
        return json.loads(done.stdout)

    def git(self, *arguments):
        return self.upstream.git(*arguments, at=self.path)

    def tip(self, branch="main"):
        done = subprocess.run(
            ["git", f"--git-dir={self.path}", "rev-parse", "--verify", "--quiet", f"refs/heads/{branch}"],
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout.strip() or None

    def objects(self):
        return set(self.git("cat-file", "--batch-all-objects", "--batch-check=%(objectname)").split())

    def is_sound(self):
        """Whether git finds nothing wrong, and nothing in it but what its branches reach."""
        self.git("fsck", "--full", "--strict")
        reached = {line.split()[0] for line in self.git("rev-list", "--objects", "--all").splitlines()}
        return self.objects() == reached


@pytest.fixture
def mirror(upstream):
    return Mirror(upstream)


@pytest.fixture
def made(mirror):
    done = mirror.update(*mirror.first)
    assert done.status == 0
    assert mirror.tip() == mirror.upstream.ids["third"]
    return mirror


def stays(mirror, reason, status=1, **environment):
    """An update is refused, and the verified state is the old one, whole."""
    before, objects = mirror.tip(), mirror.objects()
    done = mirror.update(**environment)
    assert (done.reason, done.status) == (reason, status), done.stdout + done.stderr
    assert (mirror.tip(), mirror.objects()) == (before, objects)
    assert mirror.is_sound()
    return done


# --- refused ---------------------------------------------------------------------------------------------------------


def test_a_commit_by_somebody_who_is_not_listed(made):
    made.upstream.bad()
    stays(made, "unauthorized-key")


@pytest.mark.parametrize("version", ["0", "1", "2"])
def test_an_unverified_id_that_is_asked_for(made, version):
    """It is not served by anything, from any path; what is verified is."""
    place, bad = made.upstream.place, made.upstream.bad()
    made.update()
    subprocess.run(["git", "init", "-q", place / "clone"], env=ENVIRONMENT, check=True)

    def fetched(url, commit):
        asked = ["git", "-c", f"protocol.version={version}", "fetch", url, commit]
        done = subprocess.run(asked, cwd=place / "clone", env=ENVIRONMENT, capture_output=True, check=False)
        return done.returncode == 0

    with gitserver.http(place) as web, gitserver.daemon(place) as daemon:
        for server in (f"file://{place}", web.url, daemon):
            for path in ("mirror", "mirror/gitverify", "mirror/gitverify/quarantine"):
                assert not fetched(f"{server}/{path}", bad), (server, path)
            assert fetched(f"{server}/mirror", made.upstream.ids["second"]), server


def test_no_server_finds_the_quarantine(made):
    made.upstream.bad()
    made.update()
    with gitserver.http(made.upstream.place) as web, gitserver.daemon(made.upstream.place) as daemon:
        for url in (web.url, daemon):
            listed = ls_remote(f"{url}/mirror")
            assert made.upstream.ids["third"] in listed.stdout
            assert made.upstream.ids["bad"] not in listed.stdout
            for path in ("mirror/gitverify", "mirror/gitverify/quarantine"):
                assert ls_remote(f"{url}/{path}").returncode


def ls_remote(url):
    return subprocess.run(["git", "ls-remote", url], env=ENVIRONMENT, capture_output=True, text=True, check=False)


def test_it_goes_on_once_the_branch_is_mended(made):
    made.upstream.bad()
    stays(made, "unauthorized-key")
    made.upstream.history.commit("mended", {"README": "x\n"}, parents=["third"], sign=ALICE)
    assert made.update().status == 0
    assert made.tip() == made.upstream.ids["mended"]
    assert made.is_sound()
    assert made.upstream.ids["bad"] not in made.objects()


def test_a_first_run_that_shows_an_old_state(mirror):
    upstream = mirror.upstream
    upstream.point("second")
    known = upstream.ids["third"]
    done = mirror.update(*mirror.first, "--contains", known)
    assert (done.reason, done.status, mirror.tip()) == ("not-contained", 1, None)
    upstream.point("third")
    assert mirror.update(*mirror.first, "--contains", known).status == 0


def test_newest_authentic(made):
    below = made.upstream.commit("below")
    made.upstream.bad()
    stays(made, "unauthorized-key")
    done = made.update("--newest-authentic")
    assert done.status == 0
    assert made.tip() == below
    assert made.is_sound()


def test_a_branch_that_is_set_back(made):
    made.upstream.point("second")
    stays(made, "behind")
    assert made.update("--allow-rollback").status == 0
    assert made.tip() == made.upstream.ids["second"]


def test_a_branch_that_is_set_back_when_the_marks_are_lost(made):
    made.upstream.point("second")
    shutil.rmtree(made.upstream.place / "state")
    stays(made, "behind")


def test_a_branch_that_is_set_back_when_the_marks_are_from_a_backup(mirror):
    mirror.upstream.point("second")
    assert mirror.update(*mirror.first).status == 0
    shutil.copytree(mirror.upstream.place / "state", mirror.upstream.place / "backup")
    mirror.upstream.point("third")
    assert mirror.update().status == 0
    shutil.rmtree(mirror.upstream.place / "state")
    (mirror.upstream.place / "backup").rename(mirror.upstream.place / "state")
    mirror.upstream.point("second")
    done = stays(mirror, "not-contained")
    assert "what the mirror has rests on it" in done.branches[0]["report"]["refusals"][0]["message"]
    assert mirror.update("--allow-rollback").status == 0
    assert mirror.tip() == mirror.upstream.ids["second"]


def test_a_branch_that_is_set_back_when_another_command_was_let_go_back(made):
    made.upstream.history.commit("instead", {"README": "x\n"}, parents=["second"], sign=ALICE)
    assert made.upstream.fetch("--branch", "main", "--narhash", "--allow-rollback").status == 0
    stays(made, "not-contained")
    assert made.update("--allow-rollback").status == 0
    assert made.tip() == made.upstream.ids["instead"]


def test_a_mark_that_is_further_on_than_the_mirror(made):
    made.upstream.commit("next")
    assert made.upstream.fetch("--branch", "main", "--narhash").status == 0
    assert made.update().status == 0
    assert made.tip() == made.upstream.ids["next"]


def test_a_server_that_is_away(made):
    made.upstream.path.rename(made.upstream.place / "away")
    stays(made, "fetch-failed", 3)


def test_a_clock_that_is_set_back(made, monkeypatch):
    made.upstream.point("second")
    monkeypatch.setattr("time.time", lambda: 1_000_000_000.0)
    stays(made, "behind")
    made.upstream.point("third")
    assert made.update().status == 0
    assert made.status()["branches"][0]["run"] == 1_000_000_000


def test_a_full_disk(made):
    """Git finds no room for what is to be verified, nor then for what is."""
    large = os.urandom(3_000_000).hex()
    made.upstream.commit("large", large=large)
    for phase, reason in (("fetch", "fetch-failed"), ("index-pack", "mirror-failed")):
        script = f'case "$*" in *" {phase} "*) ulimit -f 100;; esac\nexec "$GIT" "$@"'
        stays(made, reason, 3 if phase == "fetch" else 4, PATH=gitserver.wrapped(made.upstream.place / phase, script))
    assert made.update().status == 0
    assert made.tip() == made.upstream.ids["large"]
    assert made.is_sound()


def test_what_is_grafted_replaced_or_cut_off_in_the_quarantine_changes_nothing(made):
    """What is packed is what the commit's id says."""
    made.upstream.bad()
    made.update()  # the quarantine keeps what is refused
    place = made.path / "gitverify/quarantine"
    made.upstream.history.commit("next", {"README": "x\n"}, parents=["third"], sign=ALICE)
    ids = made.upstream.ids
    (place / "info").mkdir(exist_ok=True)
    (place / "info/grafts").write_text(f"{ids['next']} {ids['bad']}\n")
    (place / "shallow").write_text(f"{ids['next']}\n")
    (place / "refs/replace").mkdir()
    (place / "refs/replace" / ids["next"]).write_text(ids["bad"] + "\n")
    assert made.update().status == 0
    assert made.tip() == ids["next"]
    assert ids["bad"] not in made.objects()
    assert made.is_sound()


def test_a_branch_in_the_way_of_another(made):
    """Git keeps branches as files and directories."""
    upstream = made.upstream
    upstream.commit("next")
    (upstream.path / "refs/heads/main").rename(upstream.path / "refs/heads/was")
    upstream.point("next", "main/next")
    done = made.update("--branch", "main/next")
    assert [each["reason"] for each in done.branches] == ["fetch-failed", "mirror-failed"]
    assert made.tip() == upstream.ids["third"]
    assert made.tip("main/next") is None


def test_what_can_not_be_written(made, monkeypatch):
    shutil.rmtree(made.path / "gitverify/incoming")
    (made.path / "gitverify/incoming").write_text("a file\n")
    done = made.update()
    assert done.status == 4
    assert "mirror-failed" in done.stdout
    (made.path / "gitverify/incoming").unlink()
    made.upstream.commit("next")

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(Verified, "_serve", full)
        done = stays(made, "mirror-failed", 4)
    assert "No space left" in done.stdout
    assert made.update().status == 0
    assert made.tip() == made.upstream.ids["next"]


def test_what_is_missing_on_the_server(made):
    """An authentic commit with a file that nobody has: no verdict needs it, whoever clones does."""
    upstream = made.upstream
    upstream.commit("lost", lost="lost\n")
    blob = upstream.git("rev-parse", "main:lost")
    upstream.scene.repository.objects.remove(blob)
    stays(made, "fetch-failed", 3)


# --- killed ----------------------------------------------------------------------------------------------------------

PHASES = ["fetch", "for-each-ref", "rev-list", "pack-objects", "index-pack", "update-ref", "rev-parse"]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("first", [True, False], ids=["new", "again"])
def test_killed(mirror, phase, when, first):
    """Each time git is called for something: before that is done, and as soon as it is."""
    if not first:
        assert mirror.update(*mirror.first).status == 0
        mirror.upstream.commit("next")
    tip = mirror.upstream.ids["third" if first else "next"]
    killing = "kill -9 $PPID; exit 1" if when == "before" else '"$GIT" "$@"; kill -9 $PPID; exit 1'
    path = gitserver.wrapped(
        mirror.upstream.place / "bin", f'case "$*" in *" {phase} "*) {killing};; esac\nexec "$GIT" "$@"'
    )
    arguments = mirror.first if first else []
    done = mirror.upstream.run(*mirror.words(*arguments), PATH=path)
    assert done.status == -9
    assert mirror.tip() in {None if first else mirror.upstream.ids["third"], tip}
    redone = mirror.update(*arguments)
    assert redone.status == 0, redone.stdout
    assert mirror.tip() == tip
    assert mirror.is_sound()
    assert not list(mirror.path.rglob("*.keep"))
    assert not (mirror.path / "gitverify/incoming/pack").exists() or not any(
        (mirror.path / "gitverify/incoming/pack").iterdir()
    )


def test_killed_while_a_branch_was_locked(made):
    made.upstream.commit("next")
    (made.path / "refs/heads/main.lock").touch()
    assert made.update().status == 0
    assert made.tip() == made.upstream.ids["next"]


def test_killed_while_the_repository_was_made(mirror):
    for left in ("objects", "info", "gitverify/quarantine/refs"):
        (mirror.path / left).mkdir(parents=True, exist_ok=True)
    (mirror.path / "HEAD").write_text("ref: re")
    (mirror.path / "config.new").write_text("[co")
    assert mirror.update(*mirror.first).status == 0
    assert mirror.is_sound()


def test_what_keeps_gc_away_goes_where_it_was_left_by_us(made):
    ours, other = (made.path / f"objects/pack/pack-{digit * 40}.keep" for digit in "12")
    ours.write_text("gitverify mirror update\n")
    other.write_text("somebody else's\n")
    assert made.update().status == 0
    assert not ours.exists()
    assert other.exists()


def test_a_git_of_a_killed_run_that_is_only_just_ending(made, monkeypatch):
    """It takes its files away while this run does, or puts another one there."""
    place = made.path / "gitverify" / "incoming" / "pack"
    place.mkdir(parents=True, exist_ok=True)
    (place / "tmp_pack_1").write_text("PACK")
    rmtree, ends = shutil.rmtree, [FileNotFoundError, OSError]

    def meanwhile(path):
        if ends:
            raise ends.pop()(errno.ENOTEMPTY, "Directory not empty", str(path))
        rmtree(path)

    monkeypatch.setattr("gitverify.transfer.quarantine.shutil.rmtree", meanwhile)
    made.upstream.commit("next")
    assert made.update().status == 0
    assert not ends
    assert made.tip() == made.upstream.ids["next"]


def test_what_can_not_be_thrown_away(made, monkeypatch):
    (made.path / "gitverify" / "incoming").mkdir(exist_ok=True)

    def never(path):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr("gitverify.transfer.quarantine.shutil.rmtree", never)
    monkeypatch.setattr("gitverify.transfer.quarantine._PAUSE", 0)
    done = made.update()
    assert done.status == 4
    assert "Permission denied" in done.stdout


# --- at the same time ------------------------------------------------------------------------------------------------


def test_two_at_once(mirror):
    for number in range(20):
        mirror.upstream.commit(f"more{number}")
    words = mirror.words(*mirror.first)
    running = [start(mirror, words) for _ in range(3)]
    assert [process.wait() for process in running] == [0, 0, 0]
    assert mirror.tip() == mirror.upstream.ids["more19"]
    assert mirror.is_sound()


def start(mirror, words):
    return subprocess.Popen(
        [os.sys.executable, "-m", "gitverify", *words],
        env=mirror.upstream.environment,
        cwd=mirror.upstream.place,
        stdout=subprocess.DEVNULL,
    )


def test_gc_at_the_worst_moment(made):
    """Between the pack's arrival and the branch's: nothing reaches its objects yet."""
    made.upstream.commit("next")
    script = f'case "$*" in *" update-ref "*) "$GIT" --git-dir={made.path} gc -q --prune=now;; esac\nexec "$GIT" "$@"'
    path = gitserver.wrapped(made.upstream.place / "bin", script)
    assert made.update(PATH=path).status == 0
    assert made.tip() == made.upstream.ids["next"]
    assert made.is_sound()


def test_gc_after_a_refusal(made):
    made.upstream.bad()
    made.update()
    made.git("gc", "-q", "--prune=now")
    stays(made, "unauthorized-key")


def test_gc_that_was_stopped_in_the_middle(made):
    """A commit is here of which not all is here any more: no branch may be at it."""
    tree = made.git("rev-parse", "main^{tree}")
    made.upstream.point("second")
    assert made.update("--allow-rollback").status == 0
    made.git("repack", "-A", "-d", "-q")  # what no branch reaches any more is now in files of its own
    (made.path / "objects" / tree[:2] / tree[2:]).unlink()
    made.upstream.point("third")
    assert made.update().status == 0
    assert made.tip() == made.upstream.ids["third"]
    made.git("fsck", "--full", "--strict")


def test_packs_are_put_together(made):
    for number in range(25):
        made.upstream.commit(f"more{number}")
        assert made.update().status == 0
    assert len(list(made.path.glob("objects/pack/*.pack"))) < 22
    assert made.is_sound()


# --- works -----------------------------------------------------------------------------------------------------------


def test_what_is_there_is_served_and_cloned(made):
    target = made.upstream.place / "clone"
    subprocess.run(["git", "clone", "-q", f"file://{made.path}", target], env=ENVIRONMENT, check=True)
    assert (target / "README").read_text() == "three\n"
    assert not list(made.path.glob("objects/info/alternates"))


def test_the_archive_is_the_tree_as_it_is(made):
    made.upstream.commit(
        "attributes",
        **{
            ".gitattributes": "README export-ignore\nid export-subst\ncrlf eol=crlf\nu working-tree-encoding=UTF-16\n",
            "id": "$Format:%H$\n",
            "crlf": "a\nb\n",
            "u": "a\n",
        },
    )
    assert made.update().status == 0
    done = subprocess.run(
        ["git", f"--git-dir={made.path}", "archive", "main"], env=ENVIRONMENT, capture_output=True, check=True
    )
    with tarfile.open(fileobj=BytesIO(done.stdout)) as archive:
        files = {member.name: archive.extractfile(member).read() for member in archive if member.isfile()}
    assert files["README"] == b"three\n"
    assert (files["id"], files["crlf"], files["u"]) == (b"$Format:%H$\n", b"a\nb\n", b"a\n")


def test_only_what_is_new_is_fetched(made):
    made.upstream.commit("large", large="\n".join(str(number) * 9 for number in range(20_000)))
    assert made.update().status == 0
    first = max(made.upstream.server.sent)
    made.upstream.server.sent.clear()
    made.upstream.commit("small")
    assert made.update().status == 0
    assert max(made.upstream.server.sent) < first / 20


def test_many_branches(made):
    upstream = made.upstream
    upstream.history.commit("stable", {"README": "stable\n"}, parents=["second"], sign=BOB)
    upstream.point("stable", "release/1.0")
    upstream.bad()
    upstream.point("bad", "broken")
    upstream.point("third")
    done = made.update("--branch", "release/1.0", "--branch", "broken", "--branch", "gone")
    assert [(each["branch"], each["reason"]) for each in done.branches] == [
        ("main", None),
        ("release/1.0", None),
        ("broken", "unauthorized-key"),
        ("gone", "fetch-failed"),
    ]
    assert done.status == 3
    assert made.tip("release/1.0") == upstream.ids["stable"]
    assert made.tip("broken") is None
    assert made.is_sound()
    status = made.status()["branches"]
    assert [each["branch"] for each in status] == ["main", "release/1.0", "broken", "gone"]
    assert (status[2]["commit"], status[2]["mark"], status[2]["verdict"]) == (None, [], "refused")
    human = upstream.scene_run("mirror", "status", "mirror").stdout
    assert "nothing yet" in human
    assert "never authentic" in human


def test_for_people(made):
    upstream = made.upstream
    again = upstream.scene_run(*made.words())
    assert again.stdout.startswith(f"main of {made.path}: is at {upstream.ids['third']}, as before\n")
    upstream.commit("next")
    moved = upstream.scene_run(*made.words())
    assert f"is now at {upstream.ids['next']}, from {upstream.ids['third'][:12]}" in moved.stdout
    upstream.bad()
    refused = upstream.scene_run(*made.words())
    assert refused.status == 1
    assert f"nothing was taken over; it stays at {upstream.ids['next']}" in refused.stdout
    assert "unauthorized-key" in refused.stdout
    status = upstream.scene_run("mirror", "status", "mirror").stdout
    assert "refused (unauthorized-key)" in status
    assert "last authentic" in status
    assert "“next”" in status
    (made.path / "gitverify/mirror.json").unlink()
    other = upstream.scene_run("mirror", "update", "other", "--url", upstream.url, "--branch", "none", *upstream.anchor)
    assert "there is nothing yet" in other.stdout


def test_status(made):
    status = made.status()
    (branch,) = status["branches"]
    assert status["url"] == made.upstream.url
    assert branch["commit"] == made.upstream.ids["third"]
    assert branch["mark"] == [made.upstream.ids["third"]]
    assert branch["age"] > 0
    assert branch["authentic"] == branch["run"]


def test_the_keyring_of_a_guix_channel(upstream):
    """Its branch is fetched, and not served."""
    history = upstream.history
    history.last = None
    guix.introduce(SimpleNamespace(history=history), CAROL, keyring=[CAROL])
    history.commit("guix", {"a": "b\n"}, sign=CAROL)
    upstream.point("keyring", "keyring")
    mirror = Mirror(upstream)
    done = mirror.update("--url", upstream.url, "--branch", "main", "--introduction", upstream.ids["introduction"])
    assert done.status == 0, done.stdout
    assert mirror.tip() == upstream.ids["guix"]
    assert upstream.ids["keyring"] not in mirror.objects()
    (upstream.path / "refs/heads/keyring").unlink()
    assert mirror.update().reason == "keyring-missing"


# --- asked wrongly ---------------------------------------------------------------------------------------------------


def test_a_directory_that_is_something_else(mirror):
    mirror.path.mkdir()
    (mirror.path / "file").touch()
    assert mirror.update(*mirror.first).status == 4
    assert [path.name for path in mirror.path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    "arguments",
    [[], ["--branch", "main"], ["--url", "ext::x", "--branch", "main"], ["--url", "https://127.0.0.1/x"]],
)
def test_the_first_time_more_is_needed(mirror, arguments):
    done = mirror.update(*arguments, *mirror.upstream.anchor)
    assert done.status == 2
    assert not mirror.path.exists()


def test_without_an_introduction(mirror):
    assert mirror.update("--url", mirror.upstream.url, "--branch", "main").status == 4
    assert not mirror.path.exists()


@pytest.mark.parametrize("section", ['gitverify "url:{}"', 'gitverify "{}"', "gitverify"])
def test_the_introduction_from_gits_configuration(mirror, section):
    """Once; then it is the mirror's own."""
    upstream = mirror.upstream
    config = upstream.place / ".gitconfig"
    entry = f"[{section.format(upstream.url)}]\n\tintroduction = {{}}\n\tsigner = {{}}\n"
    config.write_text(entry.format(upstream.ids["introduction"], BOB.id))
    words = ["mirror", "update", "mirror", "--url", upstream.url, "--branch", "main"]
    assert upstream.run(*words).status == 1  # another key has signed it
    shutil.rmtree(mirror.path)
    done = upstream.run(*words, "--signer", ALICE.id)  # an option goes first
    assert done.status == 0, done.stdout
    config.write_text(entry.format("1" * 40, BOB.id))
    assert upstream.run("mirror", "update", "mirror").status == 0
    assert upstream.run(*words, GITVERIFY_INTRODUCTION="1" * 40).status == 2
    assert json.loads((mirror.path / "gitverify/mirror.json").read_text())["signer"] == ALICE.id


def test_settings_that_can_not_be_understood(mirror):
    upstream = mirror.upstream
    (upstream.place / ".gitconfig").write_text("[gitverify]\n\tintroduction = main\n")
    done = upstream.run("mirror", "update", "mirror", "--url", upstream.url, "--branch", "main")
    assert done.status == 4
    assert "git config gitverify.introduction: “main” is not a whole commit id" in done.stdout
    assert not mirror.path.exists()


@pytest.mark.parametrize("format_", ["sarif", "junit", "jsonl", "github", "gitlab"])
def test_formats_for_commits_are_none_for_mirrors(mirror, format_):
    done = mirror.upstream.scene_run("mirror", "update", "mirror", "--format", format_)
    assert done.status == 2
    assert "'human', 'json'" in str(done.error)


@pytest.mark.parametrize(
    "arguments",
    [["--introduction", "1" * 40], ["--url", "https://example.org/x"], ["--signer", "SHA256:" + "A" * 43]],
)
def test_what_it_was_made_with_does_not_change(made, arguments):
    assert made.update(*arguments).status == 2
    assert made.update(*made.first).status == 0


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": "gitverify-mirror/2"}', "\udcff"])
def test_what_it_remembers_is_damaged(made, content):
    memory = made.path / "gitverify/mirror.json"
    before = memory.read_text()
    memory.write_text(content, errors="surrogateescape")
    assert made.update().status == 2
    kept = json.loads(before)
    memory.write_text(json.dumps(kept | {"branches": []}))
    assert made.update().status == 2
    memory.write_text(before)
    assert made.update().status == 0


@pytest.mark.parametrize(
    "change",
    [
        {"introduction": "main"},
        {"introduction": 1},
        {"url": 1},
        {"signer": 1},
        {"dialect": "nonsense"},
        {"branches": "main"},
        {"branches": {"main": 1}},
        {"branches": ["../../../x"]},
        {"branches": [1]},
        {"runs": {"main": {"verdict": 1}}},
        {"runs": {"main": {"verdict": "refused", "at": "x"}}},
        {"runs": {"main": {"verdict": "refused", "more": 1}}},
    ],
)
def test_what_it_remembers_makes_no_sense(made, change):
    memory = made.path / "gitverify/mirror.json"
    memory.write_text(json.dumps(json.loads(memory.read_text()) | change))
    assert made.update().status == 2
    assert made.upstream.scene_run("mirror", "status", "mirror").status == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a repository away")
def test_a_mirror_that_belongs_to_another_user(made):
    """Its settings would have git run what that user likes."""
    ran = made.upstream.place / "ran"
    config = made.path / "gitverify/quarantine/config"
    config.write_text(config.read_text() + f'[core]\n\talternateRefsCommand = "touch {ran}; false"\n')
    tip = made.upstream.commit("next")
    for path in (made.path, *made.path.rglob("*")):
        os.chown(path, 65_534, 65_534)
    done = made.update()
    assert (json.loads(done.stdout)["reason"], done.status) == ("repository-owner", 4)
    assert not ran.exists()
    (made.upstream.place / ".gitconfig").write_text(f"[safe]\n\tdirectory = {made.path}\n")
    assert made.upstream.run(*made.words()).status == 0
    for path in (made.path, *made.path.rglob("*")):
        os.chown(path, 0, 0)
    assert made.tip() == tip


def test_a_setting_in_a_working_tree(made):
    config = made.path / "config"
    config.write_text(config.read_text() + "[gitverify]\n\tdialect = nonsense\n")
    assert made.update().reason == "introduction-not-configured"


def test_a_repository_in_a_format_that_is_not_read(made):
    config = made.path / "config"
    config.write_text(
        config.read_text().replace("version = 0", "version = 1") + "[extensions]\n\tobjectFormat = sha256\n"
    )
    done = made.update()
    assert done.status == 3
    assert made.upstream.scene_run("mirror", "status", "mirror").status == 3


def test_status_of_what_is_no_mirror(upstream):
    done = upstream.scene_run("mirror", "status", "nowhere")
    assert done.status == 2
    assert "is no mirror" in str(done.error)


def test_status_with_damaged_marks(made):
    marks = made.upstream.place / "state/gitverify/marks.sqlite3"
    marks.write_bytes(b"x" * 5000)
    assert made.upstream.scene_run("mirror", "status", "mirror").status == 4
    assert made.update().reason == "state-corrupt"
