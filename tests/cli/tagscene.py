"""A scene with signed tags, and what is asked of an answer about one."""

import json
import os
import subprocess
from pathlib import Path

import jsonschema

from fixtures.lib import policies
from tests.cli.scene import ALICE, BOB, Scene

BOTH = {"alice": [ALICE], "bob": [BOB]}
WHEN = 1_704_100_000
SCHEMA = json.loads((Path(__file__).parents[2] / "gitverify/report/report.schema.json").read_text())


class Tags(Scene):
    """A scene with tags; every commit of it lists alice and bob until ``drop`` does away with bob."""

    def tag(self, name, target="third", *, sign=ALICE, ref=None, kind="commit", said=None, **shape):
        """Write a tag object and its reference; ``said`` is what it calls itself."""
        payload = self.payload(said or name, target, kind, **shape)
        body = payload if sign is None else payload + sign.sign(payload, WHEN)
        return self.put(name, body, ref=ref)

    def put(self, name, body, *, ref=None):
        self.ids[f"tag-{name}"] = self.repository.objects.write("tag", body)
        self.repository.ref(ref or f"refs/tags/{name}", self.ids[f"tag-{name}"])
        return self.ids[f"tag-{name}"]

    def payload(self, name, target="third", kind="commit", *, date=WHEN, message=b"release\n", headers=b""):
        head = f"object {self.ids.get(target, target)}\ntype {kind}\ntag {name}\n".encode("utf-8", "surrogateescape")
        return head + b"tagger T <t@example.org> %d +0000\n%s\n%s" % (date, headers, message)

    def drop(self, label="dropped", **shape):
        """Drop bob from the policy."""
        self.history.commit(label, {policies.NATIVE: policies.native({"alice": [ALICE]})}, sign=ALICE, **shape)

    def ask(self, name="v1", *arguments, **kwargs):
        """Ask about a tag; without a mark unless a state is named."""
        return self.json("verify-tag", name, "--introduction", "{introduction}", *arguments, **kwargs)

    def accept(self, branch="main"):
        done = self.json("verify", branch, "--introduction", "{introduction}")
        assert done["verdict"] == "authentic", done

    def git(self, *arguments):
        clean = {"PATH": os.environ["PATH"], "HOME": str(self.place), "GIT_CONFIG_NOSYSTEM": "1"}
        command = ["git", "-C", str(self.path), *arguments]
        return subprocess.run(command, env=clean, capture_output=True, text=True, check=False)


def refused(report, code, rule):
    assert (report["exit"], report["verdict"], report["reason"]) == (1, "refused", code), report
    assert [(r["code"], r["rule"]) for r in report["refusals"]] == [(code, rule)]
    assert report["refusals"][0]["hint"]
    jsonschema.validate({name: value for name, value in report.items() if name != "exit"}, SCHEMA)
    return report["refusals"][0]


def accepted(report, person="alice"):
    assert (report["exit"], report["reason"], report["refusals"]) == (0, None, []), report
    assert report["tag"]["person"] == person
    jsonschema.validate({name: value for name, value in report.items() if name != "exit"}, SCHEMA)
