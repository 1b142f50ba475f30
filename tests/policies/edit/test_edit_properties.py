"""Random policies in many styles: an edit says what was meant, and nothing else of the text changes."""

from __future__ import annotations

import copy
import re
from contextlib import suppress

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from policies.styled import PATHS, SPARE, Style, ids, line, load, values, written

from gitverify.errors import PolicyError
from gitverify.policies import native
from gitverify.policies.edit import grants, keys, roles
from gitverify.policies.edit.result import EditRefused
from gitverify.policies.paths import path_prefix
from gitverify.policies.strictyaml import Text

NOTE = re.compile(r"# note \d+")
randoms = st.randoms(use_true_random=False)


def policy_of(value):
    """Write it in one way only, and load that."""
    return load("\n".join(_Plain().block(value, 0)).encode())


class _Plain(Style):
    def __init__(self):
        super().__init__(None, comments=False)

    def maybe(self, of=2):
        return of == 2

    def text(self, value, quote=None):
        return super().text(value, "double")

    def flow(self, value, indent):
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return "[" + ", ".join(self.flow(item, 0) for item in value) + "]"
        return "{" + ", ".join(f"{self.text(key)}: {self.flow(item, 0)}" for key, item in value.items()) + "}"


def is_subsequence(short, long):
    rest = iter(long)
    return all(character in rest for character in short)


def notes(data):
    return NOTE.findall(data.decode())


def names_of(value):
    return [*value["people"], *(f"@{name}" for name in value.get("groups", {}))]


def covers(wide, path):
    wide, path = (path_prefix(Text(each, 0, 0)) for each in (wide, path))
    return wide == path or (wide.subtree and (not wide.path or path.path.startswith(wide.path + b"/")))


def everywhere(value):
    return list(dict.fromkeys(name for g in value.get("grants", []) if "/" in g["paths"] for name in g["people"]))


@given(values(), randoms)
def test_every_style_says_the_same(value, random):
    assert load(written(value, random)) == policy_of(value)


@given(values(), randoms, st.data())
@settings(max_examples=120, deadline=None)
def test_a_key_added_and_removed(value, random, data):
    before = written(value, random)
    person = data.draw(st.sampled_from(list(value["people"])))
    new = data.draw(st.sampled_from([keys.ssh_key(line(SPARE)), keys.openpgp_key("AB" * 20)]))
    wanted = copy.deepcopy(value)
    wanted["people"][person]["keys"].append(new.value)
    after = keys.add_key(before, person, new).data
    assert load(after) == policy_of(wanted)
    assert is_subsequence(before, after)
    assert notes(after) == notes(before)
    assert len(set(before.splitlines()) - set(after.splitlines())) <= 1
    assert keys.add_key(after, person, new).data == after
    back = keys.remove_key(after, person, new.id).data
    assert load(back) == load(before)
    if value["people"][person]["keys"]:
        assert back == before


@given(values(), randoms, st.booleans())
@settings(max_examples=120, deadline=None)
def test_a_person_added_and_removed(value, random, directory):
    before = written(value, random)
    wanted = copy.deepcopy(value)
    wanted["people"]["erin"] = {"keys": [line(SPARE)]}
    after = keys.add_key(before, "erin", keys.ssh_key(line(SPARE)), new_person=True, directory=directory).data
    assert load(after) == policy_of(wanted)
    assert is_subsequence(before, after)
    assert notes(after) == notes(before)
    back = keys.remove_person(after, "erin").data
    assert load(back) == load(before)
    assert back == before or directory


@given(values(), randoms, st.data())
@settings(max_examples=120, deadline=None)
def test_people_removed(value, random, data):
    before = written(value, random)
    person = data.draw(st.sampled_from([name for name in value["people"] if name != "alice"] or ["alice"]))
    wanted = copy.deepcopy(value)
    del wanted["people"][person]
    for members in wanted.get("groups", {}).values():
        members[:] = [name for name in members if name != person]
    if "grants" in wanted:
        for grant in wanted["grants"]:
            grant["people"] = [name for name in grant["people"] if name != person]
        wanted["grants"] = [grant for grant in wanted["grants"] if grant["people"]]
    for role in ("policy_editors", "tags"):
        if role in wanted:
            wanted[role] = [name for name in wanted[role] if name != person]
    if person == "alice":
        try:
            policy_of(wanted)
        except PolicyError:
            refused(keys.remove_person, before, person)
            return
    after = keys.remove_person(before, person).data
    assert load(after) == policy_of(wanted)
    assert is_subsequence(re.sub(rb" \[\]", b"", after), before)


def refused(edit, *arguments):
    with suppress(EditRefused):
        edit(*arguments)
        raise AssertionError("accepted")


@given(values(), randoms, st.data())
@settings(max_examples=120, deadline=None)
def test_grants_given(value, random, data):
    before = written(value, random)
    name = data.draw(st.sampled_from(names_of(value)))
    paths = data.draw(st.lists(st.sampled_from(PATHS), min_size=1, max_size=3))
    groups = {f"@{group}" for group, members in value.get("groups", {}).items() if name in members} | {name}
    held = [path for grant in value.get("grants", []) if groups & set(grant["people"]) for path in grant["paths"]]
    new = []
    for path in paths:
        if not any(covers(wide, path) for wide in [*held, *new]):
            new.append(path)
    after = grants.grant(before, name, tuple(paths)).data
    assert is_subsequence(before, after)
    assert notes(after) == notes(before)
    assert (after == before) == (not new)
    got = load(after)
    people = got.groups[name[1:]] if name[0] == "@" else {name}
    # Each pair of person and path, as it was, and the new ones.
    wanted = pairs(load(before)) | {(path_prefix(Text(path, 0, 0)), person) for path in new for person in people}
    assert pairs(got) == wanted
    assert got.people == load(before).people
    assert got.editors == load(before).editors | (people if "/" in new and "policy_editors" not in value else set())
    assert grants.grant(after, name, tuple(paths)).data == after
    if new:
        assert pairs(load(grants.revoke(after, name, tuple(new)).data)) == pairs(load(before))


def pairs(policy):
    return {(path, person) for grant in policy.grants for path in grant.paths for person in grant.people}


@given(values(), randoms, st.data())
@settings(max_examples=120, deadline=None)
def test_grants_taken_back(value, random, data):
    assume(value.get("grants"))
    before = written(value, random)
    grant = data.draw(st.sampled_from(value["grants"]))
    name = data.draw(st.sampled_from(grant["people"]))
    paths = data.draw(st.lists(st.sampled_from(grant["paths"]), min_size=1, unique=True))
    wanted = []
    for each in copy.deepcopy(value["grants"]):
        if name in each["people"] and set(paths) & set(each["paths"]):
            rest = [path for path in each["paths"] if path not in paths]
            others = [person for person in each["people"] if person != name]
            wanted += [{"paths": each["paths"], "people": others}] if others else []
            wanted += [{"paths": rest, "people": [name]}] if rest else []
        else:
            wanted.append(each)
    wanted = {**value, "grants": wanted}
    try:
        expected = policy_of(wanted)
    except PolicyError:
        refused(grants.revoke, before, name, tuple(paths))
        return
    after = grants.revoke(before, name, tuple(paths)).data
    assert load(after) == expected
    assert grants.revoke(before, name, tuple(paths[::-1])).data == after


@given(values(), randoms, st.data(), st.sampled_from(["policy_editors", "tags"]))
@settings(max_examples=120, deadline=None)
def test_roles(value, random, data, role):
    before = written(value, random)
    name = data.draw(st.sampled_from(names_of(value)))
    now = value.get(role, everywhere(value))
    if name in now:
        assert roles.add_role(before, name, role).data == before
        wanted = {**value, role: [each for each in now if each != name]}
        try:
            expected = policy_of(wanted)
        except PolicyError:
            refused(roles.remove_role, before, name, role)
            return
        assert load(roles.remove_role(before, name, role).data) == expected
        return
    after = roles.add_role(before, name, role).data
    assert is_subsequence(before, after)
    assert load(after) == policy_of({**value, role: [*now, name]})
    back = roles.remove_role(after, name, role).data
    assert load(back) == load(before)
    if value.get(role):
        assert back == before


PIECES = [b"", b"\n", b"  ", b"#", b"-", b"- ", b"[", b"}", b",", b"\r\n", b"&a ", b"'", b"? "]
EDITS = [
    lambda data: keys.add_key(data, "alice", keys.ssh_key(line(SPARE))),
    lambda data: keys.add_key(data, "erin", keys.openpgp_key("AB" * 20), new_person=True, directory=True),
    lambda data: keys.remove_key(data, "bob", ids("ssh0")),
    lambda data: keys.remove_person(data, "bob"),
    lambda data: grants.grant(data, "bob", ("a/", "/", "new/")),
    lambda data: grants.revoke(data, "alice", ("a/", "/")),
    lambda data: roles.add_role(data, "bob", "tags"),
    lambda data: roles.remove_role(data, "bob", "policy_editors"),
]


@given(values(), randoms, st.sampled_from(EDITS), st.data())
@settings(max_examples=120, deadline=None)
def test_any_bytes_give_a_policy_or_the_errors_of_this_package(value, random, edit, data):
    octets = bytearray(written(value, random))
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, len(octets)))
        new = data.draw(st.sampled_from(PIECES))
        octets[at : at + data.draw(st.integers(0, 2))] = new
    with suppress(PolicyError, EditRefused):
        native.parse(edit(bytes(octets)).data)


@given(st.binary(max_size=200), st.sampled_from(EDITS))
def test_no_policy_at_all(data, edit):
    with suppress(PolicyError, EditRefused):
        edit(data)
