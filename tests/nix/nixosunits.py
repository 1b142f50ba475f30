"""The NixOS module's units: evaluated, written out as NixOS writes them, and run as systemd runs them."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

HERE = Path(__file__).parent / "nixos"
ROOT = Path(__file__).parents[2]
HOME = "/var/lib/gitverify"


class Refused(Exception):
    """What Nix said instead of a system."""


def evaluate(nix, settings, *, lib=None, what="system", program="nix-instantiate"):
    """Evaluate a module (Nix, as text) with fetcher/module.nix; raises Refused. ``lib``: a directory of nixpkgs'."""
    file = nix.place / "settings.nix"
    file.write_text(settings)
    given = f"lib = import {lib}; " if lib else ""
    expression = f"(import {HERE}/eval.nix {{ {given}settings = {file}; }}).{what}"
    done = nix.run(program, "--eval", "--strict", "--json", "-E", expression, check=False)
    if done.returncode:
        raise Refused(done.stderr)
    return json.loads(done.stdout)


def real_lib():
    """Find nixpkgs' own lib: $GITVERIFY_TEST_NIXPKGS is a checkout of nixpkgs, or of its lib alone."""
    places = [os.environ.get("GITVERIFY_TEST_NIXPKGS", "")]
    places += [each.partition("=")[2] for each in os.environ.get("NIX_PATH", "").split(":") if "nixpkgs=" in each]
    return next((f"{place}/lib" for place in places if Path(place, "lib/modules.nix").is_file()), None)


def quoted(text):
    """Write text as Nix does."""
    return json.dumps(text, ensure_ascii=False).replace("${", "\\${")


def written(unit, kind):
    """Return the text of a unit file, as NixOS writes it."""
    names = {"Requires": "requires", "Wants": "wants", "After": "after", "OnFailure": "onFailure"}
    head = {"Description": unit["description"]} | {key: " ".join(unit[name]) for key, name in names.items()}
    sections = {"Unit": {key: value for key, value in head.items() if value} | unit["unitConfig"]}
    if kind == "service":
        path = ":".join(f"{place}/bin" for place in unit["path"])
        environment = {"PATH": path, **unit["environment"]}
        lines = {"Environment": [json.dumps(f"{name}={value}") for name, value in environment.items()]}
        sections["Service"] = lines | unit["serviceConfig"]
    else:
        sections["Timer"] = unit["timerConfig"]
    return "".join(f"[{name}]\n{_settings(section)}\n" for name, section in sections.items())


def _settings(section):
    each = ((key, one) for key, value in section.items() for one in (value if isinstance(value, list) else [value]))
    return "".join(f"{key}={str(one).lower() if isinstance(one, bool) else one}\n" for key, one in each)


def arguments(line):
    """Take an Exec… line apart as systemd does, with the specifiers and variables that are not meant as such.

    Source: systemd.service(5), "Command lines"; systemd.syntax(7), "Quoting".
    """
    assert "\n" not in line
    words = re.findall(r'"(?:[^"\\]|\\["\\/bfnrt])*"', line)
    assert " ".join(words) == line
    found = []
    for word in words:
        for sign in "%$":
            assert not re.search(re.escape(sign), word.replace(sign * 2, "")), f"{word} has a meaning to systemd"
        found.append(json.loads(word).replace("%%", "%").replace("$$", "$"))
    return found


class Machine:
    """A machine whose ``/var/lib/gitverify`` is a directory here. There is no systemd: ``start`` does what it does."""

    def __init__(self, place, system):
        self.place = place
        self.system = system
        self.clock = None
        self.started = []
        place.mkdir(exist_ok=True)
        self.home = place / "gitverify"

    def words(self, line):
        """Return the words of a line, as they are on this machine."""
        code = "import sys; from gitverify.__main__ import main; sys.argv[0] = 'gitverify'; "
        if self.clock is not None:
            code += f"import time; time.time = lambda: {self.clock}; "
        program = self.place / "gitverify-program"
        program.write_text(
            f"#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT))} exec {sys.executable} -c {shlex.quote(code + 'main()')} "
            '"$@"\n'
        )
        program.chmod(0o755)
        places = {
            HOME: str(self.home),
            "/var/cache/gitverify": str(self.place / "cache"),
            "/gitverify/bin/gitverify": str(program),
            "PATH=/git/bin": "PATH=/usr/bin:/bin",
        }
        found = arguments(line)
        for here, there in places.items():
            found = [word.replace(here, there) for word in found]
        return found

    def environment(self, unit):
        """Return what a unit's processes have for an environment."""
        found = {"PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1"} | unit["environment"]
        return {key: value.replace(HOME, str(self.home)) for key, value in found.items()}

    def start(self, name):
        """Start a oneshot; give how it ended: ``done``, ``failed`` or ``dependency``, and what it printed."""
        unit = self.system["services"][name]
        config = unit["serviceConfig"]
        assert config["Type"] == "oneshot"
        assert "RemainAfterExit" not in config
        printed = ""
        for other in unit["requires"]:
            assert other in unit["after"]
            ended = self.start(other.removesuffix(".service"))
            printed += ended.printed
            if ended.result != "done":
                return SimpleNamespace(result="dependency", printed=printed)
        for made in config.get("StateDirectory", "").split():
            (self.place / made).mkdir(parents=True, exist_ok=True)
        started = config["ExecStart"] if isinstance(config["ExecStart"], list) else []
        for line in [*config.get("ExecStartPre", []), *started]:
            done = subprocess.run(
                self.words(line),
                env=self.environment(unit),
                cwd=self.place,
                capture_output=True,
                text=True,
                check=False,
            )
            printed += done.stdout + done.stderr
            if done.returncode:
                return SimpleNamespace(result="failed", printed=printed)
        self.started.append(name)
        return SimpleNamespace(result="done", printed=printed)
