"""A project with a target branch ``main`` and a pull request ``pr``, written without git, and the gate run on it."""

from cli.scene import Scene

from fixtures.lib import policies
from fixtures.lib.history import History
from fixtures.lib.keys import ALICE, BOB, MALLORY
from fixtures.lib.keys import TOKEN as CAROL
from fixtures.lib.repository import Repository

__all__ = ["ALICE", "BOB", "CAROL", "MALLORY", "NATIVE", "Project", "policy"]

NATIVE = policies.NATIVE
MORE = ("unprotected: [open/]", "unsigned_merges: true", "policy_editors: [alice]")


def policy(*more, people=None, limited=None):
    """Alice may change everything, and the policy; bob what is in pkgs/."""
    people = {"alice": [ALICE], "bob": [BOB]} if people is None else people
    limited = {"bob": ["pkgs/"]} if limited is None else limited
    return policies.native(people, *(more or MORE), limited=limited)


class Project(Scene):
    def __init__(self, place, *more):
        self.place = place
        self.repository = Repository(place / "repo")
        self.history = History(self.repository)
        self.ids = self.history.ids
        files = {"README": "one\n", "pkgs/a": "a\n", "open/o": "o\n", NATIVE: policy(*more)}
        self.commit("introduction", files, sign=ALICE)
        self.commit("base", {"README": "two\n"}, sign=ALICE)

    def commit(self, label, changes, **shape):
        return self.history.commit(label, changes, **shape)

    def merge(self, label, ours, theirs, **shape):
        return self.history.merge(label, ours, theirs, **shape)

    def check(self, *options, base="base", head=None, state=False, introduction="introduction"):
        """Report on HEAD (default: the last commit made) on top of BASE."""
        self.history.branch("pr", head or self.history.last)
        self.history.branch("main", base)
        common = ["--introduction", self.ids[introduction], *([] if state else ["--no-state"])]
        return self.json("check", "main..pr", *common, *options)

    def text(self, *options, base="base", head=None):
        self.history.branch("pr", head or self.history.last)
        self.history.branch("main", base)
        return self.run("check", "main..pr", "--introduction", self.ids["introduction"], "--no-state", *options)


def routes(report):
    """Return the code of each way's first refusal of its own, or its verdict."""
    return {route["name"]: _answer(route) for route in report["routes"]}


def _answer(route):
    own = [
        each["code"] for each in route["refusals"] if each["code"] != "parent-not-authentic" or each["rule"] == "R20"
    ]
    return own[0] if own else route["verdict"]


def remedies(report, name):
    return next(route["remedies"] for route in report["routes"] if route["name"] == name)
