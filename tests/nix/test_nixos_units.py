"""The NixOS module's units, run: what a refused upstream, an altered lock and a wrong clock do to an upgrade."""

import getpass
import grp
import json
import os
import pwd
import socket
import subprocess
import sys
import tarfile
import tempfile
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from cli.scene import ALICE, BOB, MALLORY
from cli.test_flake import Flake
from fetching import Upstream
from gitrepo import ENVIRONMENT

from tests.nix.nixosunits import HOME, Machine, arguments, evaluate, quoted
from tests.nix.nixplace import NIX, Nix, needs_nix

ROOTLESS = os.geteuid() != 0
pytestmark = [
    needs_nix,
    pytest.mark.skipif(ROOTLESS, reason="ExecStartPre changes to the mirrors' owner, which only root can"),
]

MIRROR, GATE, UPGRADE = "gitverify-mirror-config", "gitverify-gate", "nixos-upgrade"
DAY = 86_400
FLAKE = """{
  inputs.dep = { url = "git+https://example.org/dep?ref=main"; flake = false; };
  outputs = _: { x = 42; };
}
"""


class World:
    """A configuration's repository with a lock, the repository of its input, and a machine that upgrades from them."""

    def __init__(self, place):
        self.config, self.dep = Upstream(place / "config"), Upstream(place / "dep")
        self.nix = Nix(place / "nix")
        self.place = place
        self.flake = Flake(SimpleNamespace(path=self.dep.path, ids=self.dep.ids), place)
        self.lock("third")
        self.machine = Machine(place / "machine", evaluate(self.nix, self.settings()))

    def settings(self, more=""):
        upstreams = {"config": self.config, "dep": self.dep}
        repositories = "".join(
            f'services.gitverify.repositories.{name} = {{ url = {quoted(each.url)}; branch = "main"; '
            f"introduction = {quoted(each.ids['introduction'])}; signer = {quoted(ALICE.id)}; jobs = 1; }};"
            for name, each in upstreams.items()
        )
        return f"""{{ config, ... }}: {{
          {repositories} {more}
          services.gitverify = {{
            enable = true;
            user = {quoted(getpass.getuser())};
            group = {quoted(grp.getgrgid(os.getgid()).gr_name)};
            gateUpgrade = {{ enable = true; inputs.dep = "dep"; }};
          }};
          system.autoUpgrade = {{ enable = true; flake = config.services.gitverify.repositories.config.flake; }};
        }}"""

    def set(self, more):
        self.machine.system = evaluate(self.nix, self.settings(more))

    def lock(self, label, sign=ALICE, **change):
        """Have the configuration's next commit lock a commit of the input."""
        node = self.flake.node(label, **change) | {"flake": False}
        lock = {"nodes": {"root": {"inputs": {"dep": "dep"}}, "dep": node}, "root": "root", "version": 7}
        files = {"flake.nix": FLAKE, "flake.lock": json.dumps(lock)}
        return self.config.commit(f"lock {label} {len(self.config.ids)}", sign=sign, **files)

    def start(self, name):
        return self.machine.start(name)

    def tip(self, name="config"):
        path = self.machine.home / "mirrors" / name
        return self.config.git("rev-parse", "refs/heads/main", at=path)

    def upgrades(self):
        ended = self.start(UPGRADE)
        assert ended.result == "done", ended.printed
        return ended

    def does_not_upgrade(self, result, reason):
        ended = self.start(UPGRADE)
        assert ended.result == result
        assert reason in ended.printed
        assert UPGRADE not in self.machine.started


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def test_the_first_run_makes_the_mirror_and_later_ones_move_it(world):
    assert world.start(MIRROR).result == "done"
    assert world.tip() == world.config.git("rev-parse", "main")
    assert (world.machine.home / "state").stat().st_mode & 0o777 == 0o700
    new = world.lock("third")
    assert world.start(MIRROR).result == "done"
    assert world.tip() == new


def test_what_is_refused_fails_the_unit_and_leaves_the_mirror_as_it_was(world):
    world.start(MIRROR)
    before = world.tip()
    world.config.bad()
    ended = world.start(MIRROR)
    assert ended.result == "failed"
    assert "unauthorized-key" in ended.printed
    assert world.tip() == before


def test_the_upgrade_runs_after_a_verification_of_its_own(world):
    """Each time anew: what came since the timer's last run is in it."""
    world.start(MIRROR)
    new = world.lock("third")
    world.upgrades()
    assert world.tip() == new
    assert world.machine.started == [MIRROR, GATE, UPGRADE]
    newer = world.lock("third")
    world.upgrades()
    assert world.tip() == newer


@pytest.mark.parametrize("which", ["config", "dep"])
def test_no_upgrade_while_an_upstream_is_refused(world, which):
    world.start(MIRROR)
    getattr(world, which).bad()
    world.does_not_upgrade("dependency", "unauthorized-key")


@pytest.mark.parametrize("which", ["config", "dep"])
def test_no_upgrade_while_an_upstream_is_out_of_reach(world, which):
    """A success of yesterday is none of today."""
    world.upgrades()
    world.machine.started.clear()
    upstream = getattr(world, which)
    upstream.path.rename(upstream.path.with_name("gone"))
    world.does_not_upgrade("dependency", "fetch-failed")
    upstream.path.with_name("gone").rename(upstream.path)
    world.upgrades()


def test_no_upgrade_backwards(world):
    world.upgrades()
    world.machine.started.clear()
    world.config.point("third")
    world.does_not_upgrade("dependency", "behind")


# --- the lock, checked in the unit itself ----------------------------------------------------------------------------


def test_a_lock_with_somebody_elses_commit_is_not_built(world):
    """By whoever may change the configuration, in good faith or not."""
    evil = world.dep.commit("evil", sign=MALLORY, README="evil\n")
    world.lock("evil")
    world.dep.point("third")  # the input's own branch is fine, so that its mirror is
    world.does_not_upgrade("failed", evil[:12])
    world.lock("third")
    world.upgrades()


def test_a_lock_with_another_hash_is_not_built(world):
    world.lock("third", narHash="sha256-" + "A" * 43 + "=")
    world.does_not_upgrade("failed", "lock-mismatch")
    world.lock("third")
    world.upgrades()


def test_a_lock_that_lacks_the_input_is_not_built(world):
    lock = {"nodes": {"root": {}}, "root": "root", "version": 7}
    world.config.commit("without", **{"flake.lock": json.dumps(lock)})
    world.does_not_upgrade("failed", "input-missing")


def test_an_input_may_go_back_where_those_who_may_change_the_configuration_say_so(world):
    world.dep.commit("fourth", sign=BOB)
    world.lock("fourth")
    world.upgrades()
    world.lock("third")
    world.upgrades()


# --- the mirror, looked at in the unit itself ------------------------------------------------------------------------


def without_gate(world):
    """Start the unit itself, as if the gate had just let it through."""
    services = world.machine.system["services"]
    services[UPGRADE] = services[UPGRADE] | {"requires": []}
    return world.start(UPGRADE)


def between(world, happen):
    """Start an upgrade; between the gate and the unit itself, something happens. Returns how that ended."""
    assert world.start(GATE).result == "done"
    happen()
    return without_gate(world)


def test_a_branch_that_was_moved_by_hand_is_not_built(world):
    """Backwards, or to what is not authentic: the mirror's mark says where it is."""
    second = world.config.ids["second"]
    path = world.machine.home / "mirrors/config"
    ended = between(world, lambda: world.config.git("update-ref", "refs/heads/main", second, at=path))
    assert (ended.result, "behind" in ended.printed) == ("failed", True)


def test_a_commit_that_was_put_into_the_mirror_by_hand_is_not_built(world):
    path = world.machine.home / "mirrors/config"

    def happen():
        world.config.bad()
        world.config.git("push", "-q", str(path), "main")

    ended = between(world, happen)
    assert (ended.result, "unauthorized-key" in ended.printed) == ("failed", True)


def test_where_nothing_happens_it_is_built(world):
    assert between(world, lambda: None).result == "done"


def test_a_mirror_that_goes_on_between_two_checks(world):
    """As where its unit waited for a gate that somebody had started by hand: what is built is what was checked."""
    world.upgrades()
    before = world.tip()
    unit = world.machine.system["services"][UPGRADE]
    for line in unit["serviceConfig"]["ExecStartPre"]:
        environment = world.machine.environment(unit)
        done = subprocess.run(world.machine.words(line), env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        if '"verify"' in line:  # until then, it would be taken for a rollback
            world.lock("third", narHash="sha256-" + "A" * 43 + "=")
            assert world.start(MIRROR).result == "done"
    assert world.tip() != before
    assert (world.machine.home / "upgrade/commit").read_text().strip() == before


def test_lost_marks_are_made_again_by_the_gate_only(world):
    ended = between(world, lambda: (world.machine.home / "state/marks.sqlite3").write_bytes(b"x" * 9000))
    assert (ended.result, "state-corrupt" in ended.printed) == ("failed", True)


# --- clocks ----------------------------------------------------------------------------------------------------------

WRITTEN = 1_704_067_200  # 2024-01-01, when the histories' commits are of


def test_nothing_stale_is_built(world):
    """A server that withholds news, for as long as it can: the gate refuses what has become too old."""
    world.set('services.gitverify.repositories.config.maxAge = "30d";')
    world.machine.clock = WRITTEN + 10 * DAY
    world.upgrades()
    world.machine.started.clear()
    world.machine.clock = WRITTEN + 100 * DAY
    world.does_not_upgrade("dependency", "stale")
    ended = without_gate(world)
    assert (ended.result, "stale" in ended.printed) == ("failed", True)


def test_a_clock_that_is_set_back_brings_no_old_state_back(world):
    world.set('services.gitverify.repositories.config.maxAge = "30d";')
    world.machine.clock = WRITTEN + 10 * DAY
    world.upgrades()
    before = world.tip()
    world.machine.started.clear()
    world.config.point("second")
    world.machine.clock = WRITTEN
    world.does_not_upgrade("dependency", "behind")
    assert world.tip() == before


def test_settings_that_change_what_a_mirror_holds_are_refused(world):
    """The mirror was judged from another introduction: it has to be made anew, by a person."""
    world.start(MIRROR)
    introduction = world.config.ids["introduction"]
    unit = world.machine.system["services"][MIRROR]["serviceConfig"]
    unit["ExecStart"] = [line.replace(introduction, world.config.ids["second"]) for line in unit["ExecStart"]]
    ended = world.start(MIRROR)
    assert ended.result == "failed"
    assert "was made with --introduction" in ended.printed


# --- the gateway -----------------------------------------------------------------------------------------------------


def test_the_gateway_serves_what_was_verified(world):
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port = chosen.getsockname()[1]
    world.set(f"services.gitverify.serve = {{ enable = true; port = {port}; }};")
    assert world.start(GATE).result == "done"
    unit = world.machine.system["services"]["gitverify-serve"]
    for place in unit["unitConfig"]["ConditionPathExists"]:
        assert Path(place.replace("/var/lib/gitverify", str(world.machine.home))).is_file()
    (line,) = unit["serviceConfig"]["ExecStart"]
    environment = world.machine.environment(unit)
    with subprocess.Popen(world.machine.words(line), env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert "serving" in process.stderr.readline()
            with urlopen(f"http://127.0.0.1:{port}/config/main.tar.gz") as answer:
                assert answer.status == 200
                with tarfile.open(fileobj=BytesIO(answer.read())) as archive:
                    assert any(name.endswith("/flake.lock") for name in archive.getnames())
            world.config.bad()
            assert world.start(GATE).result == "failed"
            with pytest.raises(HTTPError, match="403"):
                urlopen(f"http://127.0.0.1:{port}/config/main.tar.gz")
        finally:
            process.terminate()


# --- what its units go without ---------------------------------------------------------------------------------------

# PR_SET_MDWE, which is how newer systemds do MemoryDenyWriteExecute=.
CONFINED = """
import ctypes, os, sys
if ctypes.CDLL(None).prctl(65, 1, 0, 0, 0):
    sys.exit(77)
os.execvp(sys.argv[1], sys.argv[1:])
"""


def test_a_mirror_is_kept_without_capabilities_and_without_code_that_is_written_at_run_time(world):
    unit = world.machine.system["services"][MIRROR]
    (line,) = unit["serviceConfig"]["ExecStart"]
    world.machine.home.mkdir()
    bare = ["setpriv", "--no-new-privs", "--inh-caps=-all", "--bounding-set=-all", sys.executable, "-c", CONFINED]
    done = subprocess.run(
        [*bare, *world.machine.words(line)],
        env=world.machine.environment(unit),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 77:
        pytest.skip("this kernel is too old for PR_SET_MDWE")
    assert done.returncode == 0, done.stderr
    assert world.tip() == world.config.git("rev-parse", "main")


# --- who looks at it -------------------------------------------------------------------------------------------------


def test_what_reads_a_repository_for_root_is_not_root(world):
    """It has no privileges, no group and no variable of root's, and can't get any back."""
    world.machine.system = evaluate(world.nix, world.settings().replace(quoted(getpass.getuser()), '"nobody"', 1))
    lines = world.machine.system["services"][UPGRADE]["serviceConfig"]["ExecStartPre"]
    taken, *lines, noted = lines
    assert len(lines) == 2
    words = arguments(lines[0])
    until = words.index("/gitverify/bin/gitverify")
    assert arguments(taken)[:until] == arguments(noted)[:until] == words[:until]
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        program = Path(place) / "gitverify"
        program.write_text(
            "#!/bin/sh\nid -u; id -G; grep -E '^(Cap(Eff|Prm|Bnd|Inh)|NoNewPrivs)' /proc/self/status; env\n"
        )
        program.chmod(0o755)
        for line in lines:
            words = [word.replace("/gitverify/bin/gitverify", str(program)) for word in arguments(line)]
            words = [word.replace("PATH=/git/bin", "PATH=/usr/bin:/bin") for word in words]
            done = subprocess.run(words, env={"SECRET": "x"}, capture_output=True, text=True, check=True)
            user, groups, *rest = done.stdout.splitlines()
            assert user == str(pwd.getpwnam("nobody").pw_uid)
            assert groups == str(os.getgid())  # the group that the settings name
            assert [each.split()[1].strip("0") for each in rest if each.startswith("Cap")] == [""] * 4
            assert "NoNewPrivs:\t1" in rest
            assert "SECRET=x" not in rest


# --- whose the mirror is ---------------------------------------------------------------------------------------------

OTHER = 65534


class Foreign:
    """The mirror, once it is another user's, and root's git with what the module writes to /etc/gitconfig."""

    def __init__(self, world):
        assert world.start(MIRROR).result == "done"
        self.world = world
        self.path = world.machine.home / "mirrors/config"
        # What stands for /etc/gitconfig; the URLs in it are for the helper, and need no place here.
        (directory,) = [
            each for each in world.machine.system["git"]["config"][0]["safe"]["directory"] if each.endswith("/config")
        ]
        self.told = world.place / "gitconfig"
        place = directory.replace("/var/lib/gitverify", str(world.machine.home))
        self.told.write_text(f"[safe]\n\tdirectory = {place}\n")

    def give_away(self):
        subprocess.run(["chown", "-R", f"{OTHER}:{OTHER}", self.world.machine.home], check=True)

    def git(self, *arguments, told=True):
        environment = dict(ENVIRONMENT, GIT_CONFIG_GLOBAL=str(self.told) if told else os.devnull)
        done = subprocess.run(
            ["git", *arguments], env=environment, cwd=self.world.place, capture_output=True, text=True, check=False
        )
        return SimpleNamespace(status=done.returncode, stdout=done.stdout, stderr=done.stderr)

    def flake(self, program, told=True):
        """Evaluate the mirror as a flake, as nixos-rebuild would."""
        system = self.world.machine.system["mirrors"]["config"]["flake"]
        url = system.replace("/var/lib/gitverify", str(self.world.machine.home))
        environment = self.world.nix.environment | {"GIT_CONFIG_GLOBAL": str(self.told) if told else os.devnull}
        return subprocess.run(
            [program, "eval", "--json", f"{url}#x"], env=environment, capture_output=True, text=True, check=False
        )


@pytest.fixture
def foreign(world):
    found = Foreign(world)
    found.give_away()
    return found


def test_root_reads_the_mirror_of_another_user(foreign):
    assert "dubious ownership" in foreign.git("ls-remote", f"file://{foreign.path}", told=False).stderr
    done = foreign.git("clone", "-q", f"file://{foreign.path}", "clone")
    assert (done.status, done.stderr) == (0, "")
    assert (foreign.world.place / "clone/flake.lock").is_file()


def test_root_builds_from_the_mirror_of_another_user(foreign):
    assert foreign.flake(NIX, told=False).returncode != 0
    for program in [NIX, *newer()]:
        done = foreign.flake(program)
        assert (done.returncode, done.stdout.strip()) == (0, "42"), done.stderr


def test_where_root_can_not_fetch_nothing_older_is_built(world):
    """As without safe.directory, or a full disk: Nix warns then, and goes on with what it fetched the last time."""
    world.upgrades()
    foreign = Foreign(world)
    for program in [NIX, *newer()]:
        assert pinned(foreign, program).stdout.strip() == "42"
    world.config.commit("next", **{"flake.nix": FLAKE.replace("42", "43"), "README": "x\n"})
    world.upgrades()
    foreign.give_away()
    for program in [NIX, *newer()]:
        assert pinned(foreign, program, told=False).stdout.strip() != "42"
        done = pinned(foreign, program)
        assert (done.returncode, done.stdout.strip()) == (0, "43"), done.stderr


def pinned(foreign, program, told=True):
    """Evaluate what the upgrade's script, whose flags go through a shell, has nixos-rebuild build."""
    *_, url = expanded(foreign.world)
    environment = foreign.world.nix.environment | {"GIT_CONFIG_GLOBAL": str(foreign.told) if told else os.devnull}
    command = [program, "eval", "--refresh", "--no-update-lock-file", f"{url}#x"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_nothing_but_the_id_is_noted(world):
    """Whatever the system's configuration has git log print beside it."""
    told = world.place / "gitconfig"
    told.write_text("[log]\n\tshowSignature = true\n[color]\n\tui = always\n[diff]\n\tmnemonicPrefix = true\n")
    world.upgrades()
    noted = world.machine.system["services"][UPGRADE]["serviceConfig"]["ExecStartPre"][-1]
    words = [
        word.replace("GIT_CONFIG_GLOBAL=/dev/null", f"GIT_CONFIG_GLOBAL={told}") for word in world.machine.words(noted)
    ]
    subprocess.run(words, check=True)
    assert (world.machine.home / "upgrade/commit").read_text() == f"{world.tip()}\n"


def expanded(world):
    """Return the words of system.autoUpgrade.flags, as a shell makes them."""
    flags = " ".join(world.machine.system["autoUpgrade"]["flags"]).replace(HOME, str(world.machine.home))
    done = subprocess.run(["bash", "-ec", f"printf '%s\\n' {flags}"], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


CHANNEL = 'channel = "http://127.0.0.1:8417/config/main"'


def test_a_channel_is_built_from_what_was_checked_and_from_nothing_else(world, tmp_path):
    """Whoever listens at the port, whatever proxy there is, and whatever root's own channel has."""
    gateway = "services.gitverify.serve.enable = true;"
    old = "flake = config.services.gitverify.repositories.config.flake"
    world.machine.system = evaluate(world.nix, world.settings(gateway).replace(old, CHANNEL))
    world.does_not_upgrade("failed", "nixos/default.nix")  # it is no nixpkgs
    for content in ("1", "2"):
        world.config.commit(content, **{"nixos/default.nix": f"{content}\n", "default.nix": "0\n"})
        world.upgrades()
        words = expanded(world)
        from_it = words[words.index("-I") :]
        others = tmp_path / "others"
        (others / "nixos").mkdir(parents=True, exist_ok=True)
        (others / "nixos/default.nix").write_text('"of nobody"')
        for program in map(Path, [NIX, *newer()]):
            done = subprocess.run(
                [program.with_name("nix-instantiate"), "--eval", *from_it, "-E", "import <nixpkgs/nixos>"],
                env=world.nix.environment | {"NIX_PATH": f"nixpkgs={others}", "http_proxy": "http://127.0.0.1:9"},
                capture_output=True,
                text=True,
                check=False,
            )
            assert (done.returncode, done.stdout.strip()) == (0, content), done.stderr
    world.config.bad()
    assert world.start(UPGRADE).result == "dependency"


def newer():
    """Return another Nix, where there is one: $GITVERIFY_NEWER_NIX is the directory of its programs."""
    return [f"{os.environ['GITVERIFY_NEWER_NIX']}/nix"] if os.environ.get("GITVERIFY_NEWER_NIX") else []


def test_whoever_owns_the_mirror_does_not_run_programs_as_root(foreign):
    """Reading it is fetching from it, and what is fetched from says nothing about what is run."""
    marker = foreign.world.place / "ran"
    program = foreign.path / "program"
    program.write_text(f"#!/bin/sh\necho ran >> {marker}\nexit 1\n")
    program.chmod(0o755)
    settings = "".join(
        f"[{section}]\n\t{key} = {program}\n"
        for section, key in [
            ("core", "fsmonitor"),
            ("core", "hooksPath"),
            ("core", "sshCommand"),
            ("core", "pager"),
            ("core", "alternateRefsCommand"),
            ("uploadpack", "packObjectsHook"),
            ("diff", "external"),
            ('filter "x"', "smudge"),
            ('remote "origin"', "uploadpack"),
            ("credential", "helper"),
        ]
    )
    config = foreign.path / "config"
    promisor = '[remote "origin"]\n\turl = file:///x\n\tpromisor = true\n[extensions]\n\tpartialClone = origin\n'
    config.write_text(
        config.read_text().replace("repositoryformatversion = 0", "repositoryformatversion = 1") + settings + promisor
    )
    hooks = foreign.path / "hooks"
    hooks.mkdir()
    for name in ("post-checkout", "pre-receive", "reference-transaction", "post-index-change", "pre-auto-gc"):
        (hooks / name).write_bytes(program.read_bytes())
        (hooks / name).chmod(0o755)
    (foreign.path / "info/attributes").write_text("* filter=x\n")
    foreign.give_away()
    assert foreign.git("clone", "-q", f"file://{foreign.path}", "clone").status == 0
    foreign.flake(NIX)
    # Something is missing, which a partial clone would fetch.
    for pack in (foreign.path / "objects/pack").iterdir():
        pack.unlink()
    assert foreign.git("clone", "-q", f"file://{foreign.path}", "another").status != 0
    assert not marker.exists()
    # The twin: these settings do run the program, for whoever works in that repository.
    foreign.git("-C", str(foreign.path), "cat-file", "-p", "main")
    assert marker.exists()
