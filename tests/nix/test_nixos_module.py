"""fetcher/module.nix: what it takes, and what it makes of that."""

import configparser
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.nix.nixosunits import HERE, HOME, Refused, arguments, evaluate, quoted, real_lib, written
from tests.nix.nixplace import Nix, needs_nix

pytestmark = needs_nix

ROOT = Path(__file__).parents[2]
COMMIT = "5f4fe1b0b7e4c1ba4a2fbd9c3ce9bd2c3b3f9d0f"
KEY = "SHA256:" + "a" * 43
TIP = "refs/gitverify/upgrade"  # of a mirror: what is checked, and built
needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed (Debian: systemd)"
)


@pytest.fixture
def nix(tmp_path):
    return Nix(tmp_path / "nix")


def repository(**changes):
    settings = {"url": "https://example.org/app.git", "branch": "main", "introduction": COMMIT} | changes
    return "{ " + " ".join(f"{key} = {value_of(value)};" for key, value in settings.items()) + " }"


def value_of(value):
    if isinstance(value, list):
        return "[ " + " ".join(map(value_of, value)) + " ]"
    return quoted(value) if isinstance(value, str) else json.dumps(value)


def settings(name="app", more="", **changes):
    return f"""{{ config, ... }}: {{
      services.gitverify.enable = true;
      services.gitverify.repositories.{quoted(name)} = {repository(**changes)};
      {more}
    }}"""


SERVE = "services.gitverify.serve.enable = true;"
UPGRADE = """
  system.autoUpgrade.enable = true;
  system.autoUpgrade.flake = config.services.gitverify.repositories.app.flake;
  services.gitverify.gateUpgrade.enable = true;
"""


def words_of(system, unit="gitverify-mirror-app", setting="ExecStart"):
    return [arguments(line) for line in system["services"][unit]["serviceConfig"][setting]]


# --- what is not taken -----------------------------------------------------------------------------------------------

REFUSED = {
    "url": [
        "https://user:password@example.org/app.git",
        "https://token@example.org/app.git",
        "http://token:@example.org/app.git",
        "ssh://git:password@example.org/app.git",
        "https://example.org/app.git?access_token=x",
        "https://example.org/app.git#x",
        "ext::sh -c id",
        "ext::sh",
        "fd::7",
        "verified::https://example.org/app.git",
        "--upload-pack=id",
        "-u",
        "https://-example.org/app.git",
        "https://example.org/-app.git",
        "ssh://-oProxyCommand=id/app.git",
        "https://example.org/a b",
        "https://example.org/a\nExecStart=/bin/id",
        "https://example.org/$HOME",
        "https://example.org/`id`",
        'https://example.org/"',
        "https://example.org/'",
        "https://example.org/\\x",
        "https://example.org/;id",
        "ftp://example.org/app.git",
        "file://host/app.git",
        "/srv/app.git",
        "../app.git",
        "",
        "https://example.org/" + "x" * 1000,
    ],
    "branch": [
        "-x",
        "--all",
        "a..b",
        "a b",
        "a\nb",
        "a:b",
        "+main:main",
        "refs/heads/main",
        "HEAD",
        "main.lock",
        "a/.b",
        ".a",
        "a/",
        "a//b",
        "a@{1}",
        "a^",
        "a~1",
        "a*",
        "a?",
        "a[b",
        "a\\b",
        "a\x7f",
        "",
    ],
    "introduction": ["main", COMMIT[:12], COMMIT[:39], COMMIT + "0", COMMIT + "\n", COMMIT.upper(), "HEAD", ""],
    "signer": ["alice", "SHA256:x", "SHA256:" + "a" * 42 + "\n", "0123456789ABCDEF", "--no-state", ""],
    "keyring": ["-x", "a b", "keyring:x"],
    "policyPath": ["/etc/passwd", "../x", "a/../b", "-x", "a\nb", ""],
    "dialect": ["other", ""],
    "maxAge": ["30", "30 days", "-1d", "30d\n", "%h", ""],
    "contains": [["main"], [COMMIT[:12]]],
    "interval": ["15", "0min", "15min\nOnCalendar=daily", "%h", "daily", "-15min", ""],
    "jobs": [0, -1, "2"],
    "sshKey": ["key", "/nix/store/x-key", "/etc/../nix/store/x", "/etc/a b", "/etc/%h", "/etc/a:b", "~/.ssh/id", ""],
    "extraOptions": [["--allow-rollback"], ["DIR"], ["-x"], ["--max-size 32G\n"], [""], ["--"]],
    "directory": ["/srv/elsewhere"],
    "flake": ["github:example/app"],
}
NAMES = ["a/b", "a.", "..", ".", ".a", "-x", "a b", "a%b", "a$b", "a\nb", 'a"b', "a@b", "é", "", "x" * 101]
OF_ALL = [
    'user = "root:x"; ',
    'user = "%n";',
    'group = "a b";',
    'stateDirectory = "..";',
    'stateDirectory = "../../etc";',
    'stateDirectory = "/srv";',
    'stateDirectory = "a b";',
    'memoryMax = "infinity\\nUser=root";',
    'memoryMax = "4";',
    'onFailure = [ "tell me.service" ];',
    "serve.enable = true; serve.port = 0;",
    "serve.enable = true; serve.port = 65536;",
    'serve.enable = true; serve.port = "8417";',
    'serve.enable = true; serve.cacheSize = "8";',
    'onFailure = [ "tell" ];',
    'onFailure = [ "a.service\\nUser=root" ];',
]
# As odd as names and values may be.
TAKEN = {
    "url": [
        "https://example.org:8443/~me/a%20b+c=d,e@f.git",
        "http://[::1]:8080/app.git",
        "ssh://git@example.org:22/app.git",
        "git@example.org:app.git",
        "git://example.org/app",
        "file:///srv/a%b/app.git",
        "https://example.org/" + "x" * 900,
    ],
    "branch": ["release/24.11", "it's-$HOME/50%", 'say"so"', "a@b", "a=b,c;d&e#f", "main.lockx", "x--all", "a(b)"],
    "introduction": [COMMIT],
    "signer": [KEY, "A" * 40, "0a" * 32],
    "keyring": ["keyring", "keys/50%$x"],
    "policyPath": ["docs/my policy 50%.yaml", "$HOME", 'a"b', "a'b\\c", "..a"],
    "dialect": ["guix"],
    "maxAge": ["30d", "0s"],
    "contains": [[COMMIT, "1" * 40]],
    "jobs": [3],
    "extraOptions": [["--max-size=32G", "--timeout=30m"], ["--x=a b%h$HOME\"'\\"]],
}
OPTION = {"branch": "branch", "policyPath": "policy-path", "maxAge": "max-age", "contains": "contains"}


def test_what_is_refused(nix):
    cases = [(key, value, settings(**{key: value})) for key, values in REFUSED.items() for value in values]
    cases += [("name", name, settings(name)) for name in NAMES]
    cases += [("all", text, settings(more=f"services.gitverify = {{ {text} }};")) for text in OF_ALL]
    verdicts = tried(nix, [case[2] for case in cases])
    assert [case[:2] for case, taken in zip(cases, verdicts, strict=True) if taken] == []


def tried(nix, texts):
    """Say of each module (Nix, as text) whether it evaluates, in one go."""
    one = f"(s: (builtins.tryEval (builtins.deepSeq (import {HERE}/eval.nix {{ settings = s; }}).system true)).success)"
    file = nix.place / "cases.nix"
    file.write_text(f"map {one} [ {' '.join(f'({text})' for text in texts)} ]")
    done = nix.run("nix-instantiate", "--eval", "--strict", "--json", str(file))
    return json.loads(done.stdout)


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in TAKEN.items() for value in values])
def test_what_is_taken_arrives_as_it_is(nix, key, value):
    """Neither a shell, nor systemd's specifiers and variables, nor quotation marks make anything else of it."""
    system = evaluate(nix, settings(**{key: value}))
    (words,) = words_of(system)
    if key == "extraOptions":
        assert words[-len(value) :] == value
    else:
        values = value if isinstance(value, list) else [value]
        name = OPTION.get(key, key)
        assert [word for word in words if word.startswith(f"--{name}=")] == [f"--{name}={each}" for each in values]


def test_the_messages_say_which_option_and_what_it_takes(nix):
    with pytest.raises(Refused, match=r"repositories\.app\.url' is not of type `URL of a git .* without password"):
        evaluate(nix, settings(url="https://user:secret@example.org/app.git"))
    with pytest.raises(Refused, match=r"introduction' is not of type `commit id in full"):
        evaluate(nix, settings(introduction="main"))
    with pytest.raises(Refused, match=r"name of letters, digits"):
        evaluate(nix, settings("a/b"))


@pytest.mark.parametrize("missing", ["url", "branch", "introduction"])
def test_what_is_needed(nix, missing):
    text = re.sub(rf"\b{missing} = \"[^\"]*\";", "", settings())
    with pytest.raises(Refused, match=f"repositories.app.{missing}' is used but not defined"):
        evaluate(nix, text)


def test_without_enable_there_is_nothing(nix):
    system = evaluate(nix, settings().replace("enable = true", "enable = false"))
    assert not system["services"]
    assert not system["timers"]
    assert not system["git"]["enable"]


# --- what it makes of it ---------------------------------------------------------------------------------------------


def test_a_unit_and_a_timer_for_each(nix):
    more = f"services.gitverify.repositories.other = {repository(url='https://example.org/o', interval='1h 30min')};"
    system = evaluate(nix, settings(more=more, branches=["stable", "main"]))
    assert sorted(system["services"]) == ["gitverify-mirror-app", "gitverify-mirror-other"]
    assert words_of(system) == [
        [
            "/gitverify/bin/gitverify",
            "mirror",
            "update",
            "/var/lib/gitverify/mirrors/app",
            "--url=https://example.org/app.git",
            "--branch=main",
            "--branch=stable",
            f"--introduction={COMMIT}",
            "--name=app",
            "--state=/var/lib/gitverify/state",
        ]
    ]
    assert system["timers"]["gitverify-mirror-other"]["timerConfig"]["OnUnitActiveSec"] == "1h 30min"
    assert system["timers"]["gitverify-mirror-app"]["wantedBy"] == ["timers.target"]
    assert system["services"]["gitverify-mirror-app"]["path"] == ["/git", "/openssh"]
    assert system["users"]["gitverify"]["isSystemUser"] is True
    assert system["mirrors"]["app"]["directory"] == "/var/lib/gitverify/mirrors/app"


@pytest.mark.parametrize("name", ["gitverify-mirror-app", "gitverify-gate", "gitverify-serve"])
def test_a_unit_may_do_little(nix, name):
    config = evaluate(nix, settings(more=SERVE + UPGRADE))["services"][name]["serviceConfig"]
    assert config["User"] == config["Group"] == "gitverify"
    assert (
        config["NoNewPrivileges"] is config["PrivateTmp"] is config["PrivateDevices"] is config["ProtectHome"] is True
    )
    assert (config["ProtectSystem"], config["CapabilityBoundingSet"], config["AmbientCapabilities"]) == (
        "strict",
        "",
        "",
    )
    assert config["StateDirectory"].split() == ["gitverify", "gitverify/mirrors", "gitverify/upgrade"]
    assert "ReadWritePaths" not in config
    assert config["SystemCallFilter"] == ["@system-service", "~@privileged"]
    assert config["RestrictAddressFamilies"] == "AF_INET AF_INET6 AF_UNIX"
    assert config["MemoryMax"] == "4G"
    assert config["UMask"] == "0022"


def test_a_key_for_ssh_is_a_credential(nix):
    """The store, and the unit, which everybody can read, have its place only."""
    service = evaluate(nix, settings(sshKey="/etc/keys/app"))["services"]["gitverify-mirror-app"]
    assert service["serviceConfig"]["LoadCredential"] == ["app:/etc/keys/app"]
    assert service["environment"]["GIT_SSH_COMMAND"].endswith("-o StrictHostKeyChecking=yes -i %d/app")
    assert "LoadCredential" not in evaluate(nix, settings())["services"]["gitverify-mirror-app"]["serviceConfig"]


def test_another_user_is_not_made(nix):
    system = evaluate(nix, settings(more='services.gitverify = { user = "me"; group = "us"; };'))
    assert (system["users"], system["groups"]) == ({}, {})
    assert system["services"]["gitverify-mirror-app"]["serviceConfig"]["User"] == "me"


def test_git_is_told_what_may_be_read_and_from_what_it_is_judged(nix):
    system = evaluate(nix, settings(signer=KEY, maxAge="30d", strict=False, branches=["stable"]))
    assert system["git"]["config"] == [
        {
            "safe": {"directory": ["/var/lib/gitverify/mirrors/app"]},
            "gitverify": {
                "url:https://example.org/app.git": {
                    "introduction": COMMIT,
                    "signer": KEY,
                    "maxAge": "30d",
                    "strict": False,
                    "branches": "main stable",
                }
            },
        }
    ]
    assert not evaluate(nix, settings(more="services.gitverify.configureGit = false;"))["git"]["enable"]


def test_what_nixpkgs_own_lib_makes_of_it(nix):
    lib = real_lib()
    if lib is None:
        pytest.skip("no nixpkgs lib: name one with GITVERIFY_TEST_NIXPKGS")
    text = settings(more=UPGRADE, branches=["it's-$HOME/50%"], sshKey="/etc/key", signer=KEY)
    assert in_any_order(evaluate(nix, text, lib=lib)) == in_any_order(evaluate(nix, text))
    assert documented(nix, lib) == documented(nix)
    for change in ({"url": "https://a:b@example.org/x"}, {"introduction": "main"}, {"branch": "-x"}, {"flake": "x"}):
        with pytest.raises(Refused, match=r"is not of type|read-only"):
            evaluate(nix, settings(**change), lib=lib)


def test_a_newer_nix_makes_the_same_of_it(nix):
    newer = os.environ.get("GITVERIFY_NEWER_NIX")
    if newer is None:
        pytest.skip("no newer Nix: name its programs' directory with GITVERIFY_NEWER_NIX")
    text = settings(more=UPGRADE + SERVE, branches=TAKEN["branch"], sshKey="/etc/key", signer=KEY)
    assert evaluate(nix, text, program=f"{newer}/nix-instantiate") == evaluate(nix, text)
    for key, value in (("url", "https://a:b@example.org/x"), ("introduction", "main"), ("branch", "a\nb")):
        with pytest.raises(Refused, match="is not of type"):
            evaluate(nix, settings(**{key: value}), program=f"{newer}/nix-instantiate")


def test_git_reads_what_is_written_for_it(nix, tmp_path):
    """With nixpkgs' own way to write it; names and values may hold quotation marks, and what begins a comment."""
    lib = real_lib()
    if lib is None:
        pytest.skip("no nixpkgs lib: name one with GITVERIFY_TEST_NIXPKGS")
    odd = {"url": "https://example.org:8443/~me/a%20b+c=d.git", "policyPath": 'my "policy" #1;\\ 50%.yaml'}
    (config,) = evaluate(nix, settings(branches=TAKEN["branch"], **odd))["git"]["config"]
    expression = f"(import {lib}).generators.toGitINI (builtins.fromJSON {quoted(json.dumps(config))})"
    done = nix.run("nix-instantiate", "--eval", "--json", "-E", expression)
    file = tmp_path / "gitconfig"
    file.write_text(json.loads(done.stdout))

    def read(name):
        command = ["git", "config", "--file", file, "--get-all", name]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()

    assert read("safe.directory") == ["/var/lib/gitverify/mirrors/app"]
    assert read(f"gitverify.url:{odd['url']}.policypath") == [odd["policyPath"]]
    assert read(f"gitverify.url:{odd['url']}.introduction") == [COMMIT]
    assert read(f"gitverify.url:{odd['url']}.branches") == [" ".join(["main", *TAKEN["branch"]])]


def in_any_order(system):
    for unit in system["services"].values():
        unit["after"].sort()
    system["autoUpgrade"]["flags"].sort()
    return system


# --- as systemd sees it ----------------------------------------------------------------------------------------------


@pytest.fixture
def files(nix, tmp_path):
    """Every unit that there can be, in files; the programs in them exist here."""
    more = (
        UPGRADE
        + 'services.gitverify.gateUpgrade.inputs.dep = "app"; services.gitverify.onFailure = [ "x@%N.service" ];'
        + SERVE
    )
    odd = {"branches": TAKEN["branch"], "policyPath": "my policy 50%$x.yaml", "sshKey": "/etc/key", "keyring": "k%k"}
    system = evaluate(nix, settings(more=more, extraOptions=["--x=a b%h$HOME\"'\\"], **odd))
    place = tmp_path / "units"
    place.mkdir()
    for kind in ("service", "timer"):
        for name, unit in system[f"{kind}s"].items():
            text = written(unit, kind).replace('"/gitverify/bin/gitverify"', '"/usr/bin/env"')
            (place / f"{name}.{kind}").write_text(text)
    return sorted(place.iterdir())


@needs_systemd
def test_systemd_finds_nothing_wrong(files):
    assert [file.name for file in files] == [
        "gitverify-gate.service",
        "gitverify-mirror-app.service",
        "gitverify-mirror-app.timer",
        "gitverify-serve.service",
        "nixos-upgrade.service",
    ]
    done = analyzed("verify", "--man=no", *files)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@needs_systemd
def test_what_systemd_finds_wrong_it_says(files):
    """The twin: so that the silence above says something."""
    text = files[1].read_text()
    files[1].write_text(
        text.replace('"/usr/bin/env"', '"/usr/bin/env', 1).replace("StateDirectory=", "StateDirectory=%!")
    )
    assert "gitverify-mirror-app.service:" in analyzed("verify", "--man=no", files[1]).stderr


@needs_systemd
@pytest.mark.parametrize("name", ["gitverify-gate", "gitverify-mirror-app", "gitverify-serve"])
def test_what_systemd_thinks_of_its_hardening(files, name):
    (file,) = [file for file in files if file.name == f"{name}.service"]
    done = analyzed("security", "--offline=true", "--threshold=15", "--no-pager", file)
    assert done.returncode == 0, done.stdout
    file.write_text(
        re.sub("^(ProtectSystem|CapabilityBoundingSet|SystemCallFilter)=.*\n", "", file.read_text(), flags=re.MULTILINE)
    )
    assert analyzed("security", "--offline=true", "--threshold=15", "--no-pager", file).returncode != 0


def analyzed(*arguments):
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False)


def test_no_line_of_a_unit_is_somebody_elses(files):
    """Each line is a section or a setting, and none is there twice that is not meant to be."""
    for file in files:
        parser = configparser.RawConfigParser(strict=False)
        parser.optionxform = str
        parser.read(file)
        assert set(parser.sections()) <= {"Unit", "Service", "Timer"}
        assert all(re.fullmatch(r"\[\w+\]|[A-Za-z-]+=.*|", line) for line in file.read_text().splitlines())


# --- the gate --------------------------------------------------------------------------------------------------------


def test_an_upgrade_requires_a_verification_of_its_own(nix):
    more = UPGRADE + 'services.gitverify.onFailure = [ "tell@%N.service" ];'
    services = evaluate(nix, settings(more=more))["services"]
    upgrade, gate = services["nixos-upgrade"], services["gitverify-gate"]
    assert upgrade["requires"] == ["gitverify-gate.service"]
    assert "gitverify-gate.service" in upgrade["after"]
    assert (gate["serviceConfig"]["Type"], "RemainAfterExit" in gate["serviceConfig"]) == ("oneshot", False)
    assert gate["serviceConfig"]["ExecStart"] == services["gitverify-mirror-app"]["serviceConfig"]["ExecStart"]
    assert all(unit["onFailure"] == ["tell@%N.service"] for unit in services.values())
    assert upgrade["path"] == ["/gitverify"]
    assert upgrade["serviceConfig"]["ExecStartPre"]


def test_no_update_comes_between_the_check_and_the_build(nix):
    """And nothing waits for a unit that waits for it: an upgrade starts no mirror's service, only timers do."""
    services = evaluate(nix, settings(more=UPGRADE))["services"]
    mirror = services["gitverify-mirror-app"]
    assert "nixos-upgrade.service" in mirror["after"]
    assert "nixos-upgrade.service" not in services["gitverify-gate"]["after"]
    for unit in (mirror, services["gitverify-gate"]):
        assert unit["wantedBy"] == []
        assert unit["restartIfChanged"] is False


def test_without_an_upgrade_the_helper_is_nowhere_else(nix):
    assert "nixos-upgrade" not in evaluate(nix, settings())["services"]
    more = 'system.autoUpgrade = { enable = true; flake = "github:example/app"; };'
    upgrade = evaluate(nix, settings(more=more))["services"]["nixos-upgrade"]
    assert (upgrade["path"], upgrade["requires"]) == (["/gitverify"], [])


def test_the_lock_is_checked_for_the_inputs_that_are_named(nix):
    more = (
        UPGRADE
        + f"""
      services.gitverify.repositories.lib = {repository(url="https://example.org/lib", signer=KEY)};
      services.gitverify.gateUpgrade = {{ inputs."dep/lib" = "lib"; requireAll = true; }};
    """
    )
    system = evaluate(nix, settings(more=more))
    taken, mark, lock, _ = words_of(system, "nixos-upgrade", "ExecStartPre")
    assert taken[-3:] == ["--no-deref", TIP, "refs/heads/main"]
    assert mark[mark.index("verify") :] == [
        "verify",
        TIP,
        "--repo=/var/lib/gitverify/mirrors/app",
        "--ref=refs/heads/main",
        f"--introduction={COMMIT}",
        "--name=app",
        "--state=/var/lib/gitverify/state",
    ]
    assert lock[lock.index("flake") :] == [
        "flake",
        "check",
        "--repo=/var/lib/gitverify/mirrors/app",
        f"--rev={TIP}",
        f"--base={TIP}",
        f"--introduction=dep/lib={COMMIT}",
        f"--signer=dep/lib={KEY}",
        "--mirror=dep/lib=/var/lib/gitverify/mirrors/lib",
        "--require-all",
        "--state=/var/lib/gitverify/state",
    ]
    assert lock[:10] == mark[:10]
    assert "--reuid=gitverify" in lock
    assert "--bounding-set=-all" in lock
    # What it is built with is verified just before, too.
    assert [words[3] for words in words_of(system, "gitverify-gate")] == [
        "/var/lib/gitverify/mirrors/app",
        "/var/lib/gitverify/mirrors/lib",
    ]
    assert "--no-update-lock-file" in system["autoUpgrade"]["flags"]


def test_what_is_built_is_the_commit_that_was_checked(nix):
    """Of two flakes on nixos-rebuild's command line, the last counts."""
    more = UPGRADE.replace(".flake;", '.flake + "#host";')
    system = evaluate(nix, settings(more=more, branch="it's$50%"))
    taken, *_, noted = words_of(system, "nixos-upgrade", "ExecStartPre")
    assert taken[-2:] == [TIP, "refs/heads/it's$50%"]
    assert noted[-6:] == [
        "--format=%H",
        "--no-patch",
        "--no-show-signature",
        f"--output={HOME}/upgrade/commit",
        TIP,
        "--",
    ]
    assert "--reuid=gitverify" in noted
    flags = [flag for flag in system["autoUpgrade"]["flags"] if "--flake" in flag]
    assert flags[-1] == f'--flake "{MIRROR}?ref=it%27s%2450%25&rev=$(< {HOME}/upgrade/commit)#host"'
    assert len(flags) == 2


def test_a_lock_that_is_not_looked_at_is_said(nix):
    (warning,) = evaluate(nix, settings(more=UPGRADE))["warnings"]
    assert "looks at no input" in warning
    named = 'services.gitverify.gateUpgrade.inputs.dep = "app";'
    assert evaluate(nix, settings(more=UPGRADE + named))["warnings"] == []
    assert evaluate(nix, settings(more=SERVE + CHANNEL))["warnings"] == []


MIRROR = "git+file:///var/lib/gitverify/mirrors/app"
ELSEWHERE = [
    "github:example/app",
    "git+https://example.org/app.git?ref=main",
    "git+file:///var/lib/gitverify/mirrors/app",  # another default, and another branch
    f"{MIRROR}?ref=other",
    f"{MIRROR}?ref=main&rev={COMMIT}",
    f"{MIRROR}?ref=main&dir=x",
    f"{MIRROR}/../other?ref=main",
    f"{MIRROR}?ref=main#x;id",
    f"{MIRROR}?ref=main#x --impure",
    f"{MIRROR}?ref=main --override-input x y",
    f"{MIRROR}?ref=main#$(id)",
    f"path:{MIRROR}?ref=main",
    "/etc/nixos",
    "",
]


def gated(flake, more=""):
    return UPGRADE.replace("config.services.gitverify.repositories.app.flake", quoted(flake)) + more


def test_an_upgrade_from_elsewhere_is_refused(nix):
    texts = [settings(more=gated(flake)) for flake in ELSEWHERE]
    assert [flake for flake, taken in zip(ELSEWHERE, tried(nix, texts), strict=True) if taken] == []
    twins = [f"{MIRROR}?ref=main", f"{MIRROR}?ref=main#host", f"{MIRROR}?ref=it%27s%2450%25#host-1.example_x"]
    texts = [settings(more=gated(flake), branches=["it's$50%"]) for flake in twins]
    assert tried(nix, texts) == [True] * 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ('system.autoUpgrade.channel = "https://nixos.org/channels/nixos-unstable";', "not from both"),
        ('system.autoUpgrade.flags = [ "--update-input" "nixpkgs" ];', "something else would be built"),
        (
            'system.autoUpgrade.flags = [ "--update-input nixpkgs --commit-lock-file" ];',
            "something else would be built",
        ),
        ('system.autoUpgrade.flags = [ "--impure" ];', "something else would be built"),
        ('system.autoUpgrade.flags = [ "-L\\t--impure" ];', "something else would be built"),
        ('system.autoUpgrade.flags = [ "-L\\n--impure" ];', "something else would be built"),
        ('system.autoUpgrade.flags = [ "--store-path" "/x" ];', "something else would be built"),
        ('system.autoUpgrade.storePathProvider = "/x";', "storePathProvider"),
        ('system.autoUpgrade.flags = [ "--flake" "github:example/app" ];', "something else would be built"),
        ('system.autoUpgrade.flags = [ "--flake=github:example/app" ];', "something else would be built"),
        ('system.autoUpgrade.flags = [ "--override-input=x" "y" ];', "something else would be built"),
        ('system.autoUpgrade.flags = [ "--file" "/tmp/x" ];', "something else would be built"),
        ('system.autoUpgrade.flags = [ "-F" "x" ];', "something else would be built"),
        ('system.autoUpgrade.flags = [ "-f/tmp/x" ];', "something else would be built"),
        ('services.gitverify.gateUpgrade.inputs.dep = "other";', "does not have: other"),
        ('services.gitverify.gateUpgrade.inputs."a=b" = "app";', "the input's name in flake.lock"),
        ('services.gitverify.gateUpgrade.inputs."-x" = "app";', "the input's name in flake.lock"),
    ],
)
def test_what_the_gate_could_not_hold_is_refused(nix, change, message):
    with pytest.raises(Refused, match=re.escape(message)):
        evaluate(nix, settings(more=UPGRADE + change))


def test_other_flags_are_the_users(nix):
    more = UPGRADE + 'system.autoUpgrade.flags = [ "-L" "--option" "cores" "2" "--flakes" "--filed" ];'
    assert "-L" in evaluate(nix, settings(more=more))["autoUpgrade"]["flags"]


@pytest.mark.parametrize(
    ("gone", "message"),
    [("system.autoUpgrade.enable = true;", "nothing to gate"), ("system.autoUpgrade.flake = ", "from a channel is")],
)
def test_a_gate_without_an_upgrade_that_it_gates_is_refused(nix, gone, message):
    assert gone in UPGRADE
    with pytest.raises(Refused, match=message):
        evaluate(nix, settings(more=UPGRADE.replace(gone, "#")))


def test_a_gate_that_is_turned_off_with_all_the_rest_is_refused(nix):
    """The upgrade would go on, from a mirror that nothing brings up to date, and with no check."""
    texts = [settings(more=UPGRADE), settings(more="").replace("enable = true", "enable = false")]
    assert tried(nix, texts) == [True, True]
    with pytest.raises(Refused, match="gates nothing"):
        evaluate(nix, settings(more=UPGRADE).replace("gitverify.enable = true", "gitverify.enable = false"))


# --- the gateway -----------------------------------------------------------------------------------------------------

CHANNEL = """
  system.autoUpgrade.enable = true;
  system.autoUpgrade.channel = "http://127.0.0.1:8417/app/main";
  services.gitverify.gateUpgrade.enable = true;
"""


def test_the_gateway_serves_this_machine_alone(nix):
    more = SERVE + f"services.gitverify.repositories.lib = {repository(url='https://example.org/lib')};"
    system = evaluate(nix, settings(more=more))
    assert words_of(system, "gitverify-serve") == [
        [
            "/gitverify/bin/gitverify",
            "serve",
            "app=/var/lib/gitverify/mirrors/app",
            "lib=/var/lib/gitverify/mirrors/lib",
            "--listen=127.0.0.1:8417",
            "--cache=/var/cache/gitverify",
            "--cache-size=8G",
            "--state=/var/lib/gitverify/state",
        ]
    ]
    serving = system["services"]["gitverify-serve"]
    assert (serving["serviceConfig"]["IPAddressDeny"], serving["serviceConfig"]["IPAddressAllow"]) == (
        "any",
        "localhost",
    )
    more = SERVE + "services.gitverify.serve = { port = 9000; lastVerified = true; };"
    (words,) = words_of(evaluate(nix, settings(more=more)), "gitverify-serve")
    assert {"--listen=127.0.0.1:9000", "--last-verified"} <= set(words)
    assert "gitverify-serve" not in evaluate(nix, settings())["services"]


def test_the_gateway_starts_once_there_are_mirrors(nix):
    services = evaluate(nix, settings(more=SERVE + UPGRADE))["services"]
    there = ["/var/lib/gitverify/mirrors/app/gitverify/mirror.json"]
    assert services["gitverify-serve"]["unitConfig"]["ConditionPathExists"] == there
    for name in ("gitverify-mirror-app", "gitverify-gate"):
        assert services[name]["unitConfig"]["OnSuccess"] == "gitverify-serve.service"
    # It may be restarted by the very upgrade that it serves, which that must not stop.
    assert "gitverify-serve.service" in services["nixos-upgrade"]["wants"]
    assert services["nixos-upgrade"]["requires"] == ["gitverify-gate.service"]


def test_an_upgrade_from_a_channel_that_is_served_is_gated(nix):
    system = evaluate(nix, settings(more=SERVE + CHANNEL))
    cleared, _, mark, looked = words_of(system, "nixos-upgrade", "ExecStartPre")
    assert cleared[-4:] == ["/usr/bin/rm", "-rf", "--", f"{HOME}/upgrade/nixpkgs"]
    assert "verify" in mark
    assert f"--output={HOME}/upgrade/nixpkgs" in mark
    assert looked[-1] == f"{HOME}/upgrade/nixpkgs/nixos/default.nix"
    # Of two, the first counts.
    words = " ".join(system["autoUpgrade"]["flags"]).split()
    assert next(word for word in words if word.startswith("nixpkgs=")) == f"nixpkgs={HOME}/upgrade/nixpkgs"
    assert system["services"]["nixos-upgrade"]["requires"] == ["gitverify-gate.service"]
    assert [words[3] for words in words_of(system, "gitverify-gate")] == ["/var/lib/gitverify/mirrors/app"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (SERVE, ""),
        ("127.0.0.1:8417", "127.0.0.1:8418"),
        ("127.0.0.1:8417", "nixos.org"),
        ("/app/main", "/app/other"),
        ("/app/main", "/app/main/../../x"),
        ("/app/main", "/app/main; id"),
        ("http:", "https:"),
    ],
)
def test_another_channel_is_refused(nix, old, new):
    with pytest.raises(Refused, match="from a channel is verified by nobody"):
        evaluate(nix, settings(more=(SERVE + CHANNEL).replace(old, new)))


def test_a_channel_that_only_its_update_could_judge_is_refused(nix):
    with pytest.raises(Refused, match="of a repository with a keyring can't be gated"):
        evaluate(nix, settings(more=SERVE + CHANNEL, keyring="keyring"))


def test_a_flake_beside_the_channel_is_refused(nix):
    with pytest.raises(Refused, match="something else would be built"):
        evaluate(nix, settings(more=SERVE + CHANNEL + 'system.autoUpgrade.flags = [ "--flake" "x" ];'))


def test_another_nixpkgs_beside_the_channel_is_refused(nix):
    more = SERVE + CHANNEL + 'system.autoUpgrade.flags = [ "-I" "nixpkgs=https://example.org/x.tar.gz" ];'
    with pytest.raises(Refused, match="another nixpkgs"):
        evaluate(nix, settings(more=more))
    evaluate(
        nix,
        settings(more=more.replace("https://example.org/x.tar.gz", "http://127.0.0.1:8417/app/main/nixexprs.tar.xz")),
    )


def test_without_the_keyrings_branch_the_mirror_is_judged_by_its_update_alone(nix):
    """That branch is not in the mirror."""
    services = evaluate(nix, settings(more=UPGRADE, keyring="keyring"))["services"]
    _, noted = services["nixos-upgrade"]["serviceConfig"]["ExecStartPre"]
    assert "--output=/var/lib/gitverify/upgrade/commit" in arguments(noted)
    assert services["nixos-upgrade"]["requires"] == ["gitverify-gate.service"]


# --- one of each -----------------------------------------------------------------------------------------------------


def test_two_repositories_of_one_url_would_be_judged_by_one_of_them(nix):
    more = f"services.gitverify.repositories.other = {repository(introduction='1' * 40)};"
    with pytest.raises(Refused, match="have the same url"):
        evaluate(nix, settings(more=more))
    evaluate(nix, settings(more=more + "services.gitverify.configureGit = false;"))


# --- what is said about it -------------------------------------------------------------------------------------------


def documented(nix, lib=None):
    """Return the table of options as it has to be."""
    rows = ["| option | default | |", "| --- | --- | --- |"]
    for option in evaluate(nix, "{ }", lib=lib, what="options"):
        name = option["name"].removeprefix("services.gitverify.")
        fixed = "needed" if option["required"] else f"`{option['default']}`" + ", fixed" * option["readOnly"]
        rows.append(f"| `{name}` | {fixed} | {option['description']} |")
    return rows


def test_the_table_of_options_is_that_of_the_module(nix):
    page = (ROOT / "docs/nixos.md").read_text()
    found = [line for line in page.splitlines() if re.match(r"\| (option|---|`)", line)]
    assert found == documented(nix)


def test_the_example_evaluates(nix):
    page = (ROOT / "docs/nixos.md").read_text()
    example = re.search("```nix\n(\\{ config.*?)```", page, re.DOTALL)[1]
    system = evaluate(nix, example)
    assert "gitverify-gate" in system["services"]
    assert system["services"]["nixos-upgrade"]["requires"] == ["gitverify-gate.service"]


def test_the_flake_has_the_module(nix):
    text = f"(import {ROOT}/flake.nix).outputs {{ self = null; nixpkgs.lib = import {HERE}/lib.nix; }}"
    done = nix.run("nix-instantiate", "--eval", "-E", f"({text}).nixosModules.default")
    assert done.stdout.strip() == f"{ROOT}/fetcher/module.nix"
