"""Native policies as values, and the many ways in which people write the same one down."""

from __future__ import annotations

import copy
from dataclasses import replace
from functools import cache

from hypothesis import strategies as st
from signing import key_id, ssh_line

from gitverify.policies import native

KEYS = [f"ssh{number}" for number in range(8)]
SPARE = "ssh9"
PEOPLE = ["alice", "bob", "carol", "d.a-v_e"]
GROUPS = ["games", "docs"]
PATHS = ["/", "a/", "a/b/", "a/b", "c d/", "\u00e9/", "lib/x", "-dash/", "o'neil/", "[x]", "#no/"]


@cache
def line(name):
    return ssh_line(name)


ids = cache(key_id)


def load(data):
    """Return what a policy says, without the lines at which it says it."""
    policy = native.parse(data)
    return replace(
        policy,
        people={name: replace(person, line=0) for name, person in policy.people.items()},
        grants=tuple(replace(grant, line=0) for grant in policy.grants),
    )


@st.composite
def values(draw):
    """A policy as dict, list and str; alice has a key and may always change it."""
    keys = draw(st.permutations(KEYS))
    people = {}
    for name in draw(st.permutations(PEOPLE)):
        if name == "alice" or draw(st.booleans()):
            count = draw(st.integers(1 if name == "alice" else 0, 2))
            people[name] = {"keys": [line(keys.pop()) for _ in range(count)]}
            if draw(st.integers(0, 3)) == 0:
                people[name]["keys"].append({"openpgp": f"{len(people)}" * 40})
    names = list(people)
    groups = {
        name: draw(st.lists(st.sampled_from(names), max_size=3, unique=True))
        for name in GROUPS
        if draw(st.integers(0, 2)) == 0
    }
    listed = names + [f"@{name}" for name in groups]
    some = st.lists(st.sampled_from(listed), min_size=1, max_size=3, unique=True)
    grants = [
        {"paths": draw(st.lists(st.sampled_from(PATHS), min_size=1, max_size=3, unique=True)), "people": draw(some)}
        for _ in range(draw(st.integers(0, 3)))
    ]
    value = {"version": "1", "people": people}
    if groups:
        value["groups"] = groups
    if grants or draw(st.booleans()):
        value["grants"] = grants
    everywhere = any("/" in grant["paths"] and "alice" in grant["people"] for grant in grants)
    if not everywhere or draw(st.booleans()):
        value["policy_editors"] = ["alice", *(name for name in draw(some) if name != "alice")]
    if draw(st.booleans()):
        value["tags"] = draw(st.lists(st.sampled_from(listed), max_size=2, unique=True))
    if draw(st.booleans()):
        value["unprotected"] = ["open/"]
    return value


class Style:
    """Chances, taken anew for every list and mapping."""

    def __init__(self, random, *, comments=True):
        self.random = random
        self.comments = comments
        self.notes = 0

    def maybe(self, of=2):
        return self.random.randrange(of) == 0

    def note(self, mark="  "):
        if not self.comments or not self.maybe(3):
            return ""
        self.notes += 1
        return f"{mark}# note {self.notes}: [a, b] - {{c}}"

    def text(self, value, quote=None):
        plain = value[0].isalnum() or value[0] in "/."
        match quote or self.random.choice(["plain", "plain", "single", "double"]):
            case "single":
                return "'" + value.replace("'", "''") + "'"
            case "plain" if plain:
                return value
            case _:
                return '"' + value + '"'

    def flow(self, value, indent):
        """Brackets or braces: on one line, or over several."""
        if isinstance(value, str):
            return self.text(value)
        begin, end = "[]" if isinstance(value, list) else "{}"
        if isinstance(value, list):
            parts = [self.flow(item, indent + 2) for item in value]
        else:
            parts = [f"{self.text(key)}: {self.flow(item, indent + 2)}" for key, item in value.items()]
        if not parts:
            return begin + self.random.choice(["", " "]) + end
        trailing = "," if self.maybe(4) else ""
        if self.maybe(3):
            rows = [part + "," for part in parts[:-1]] + [parts[-1] + trailing]
            gap = " " * (indent + 3)
            return "\n".join(
                [begin + self.note(), *(gap + row + self.note() for row in rows), " " * (indent + 1) + end]
            )
        return begin + (pad := self.random.choice(["", " "])) + ", ".join(parts) + trailing + pad + end

    def block(self, value, indent):
        """Lines, the first of which stands at ``indent`` too."""
        lines = []
        gap = " " * indent
        if isinstance(value, list):
            dash = "-" + " " * self.random.choice([1, 1, 3])
            for item in value:
                lines += [gap + note for note in [self.note("")] if note]
                if isinstance(item, str) or not item or self.maybe():
                    lines.append(gap + dash + self.flow(item, indent + 2) + self.note())
                elif self.maybe(4):
                    lines.append(gap + "-" + self.note())
                    lines += self.block(item, indent + 2)
                else:
                    first, *rest = self.block(item, indent + len(dash))
                    while first.strip().startswith("#"):
                        first, *rest = rest
                    lines += [gap + dash + first.strip(" "), *rest]
            return lines
        for key, item in value.items():
            lines += [gap + note for note in [self.note("")] if note]
            if isinstance(item, str) or not item or self.maybe():
                lines.append(f"{gap}{self.text(key)}: {self.flow(item, indent)}{self.note()}")
                continue
            lines.append(f"{gap}{self.text(key)}:{self.note()}")
            deeper = self.random.choice([0, 2]) if isinstance(item, list) else self.random.choice([1, 2, 4])
            lines += self.block(item, indent + deeper)
        return lines

    def document(self, value):
        text = self.flow(value, 0) if self.maybe(12) else "\n".join(self.block(value, 0))
        if self.maybe(6):
            text = "---\n" + text
        text += self.random.choice(["\n", "\n", "", "\n# the end\n", "\n\n"])
        return text.replace("\n", "\r\n") if self.maybe(4) else text


def written(value, random):
    return Style(random).document(copy.deepcopy(value)).encode()
