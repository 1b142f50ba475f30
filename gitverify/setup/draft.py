"""The text of a first policy, with comments by which a newcomer can read and change it.

Nothing that other people wrote gets into it as it is: keys and fingerprints have been parsed, names and comments are
made plain (:mod:`gitverify.policies.plain`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitverify.policies.model import OpenPgpKeySpec
from gitverify.policies.plain import commented, plain_comment
from gitverify.signatures.sshkeys import parse_blob

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitverify.policies.model import KeySpec

POLICY_FILE = ".gitverify.yaml"
KEY_DIRECTORY = ".gitverify/keys/"
_MANY = 8  # from so many people on they are a group

_HEAD = """\
# Who may change what in this repository. “gitverify verify” checks every commit by this file, as it stands in the
# commit's parent: a change of it counts from the next commit on. A line that begins with “#” is a comment.
version: 1

# People, by a name of your choice, each with the public keys whose signatures count as theirs. An SSH key is the line
# of its .pub file; an OpenPGP key is its full fingerprint, and its certificate lies in .gitverify/keys/.
people:
"""
_GRANTS = """
# Who may change which paths: “/” is everything, “docs/” all that is below docs, “docs/index.md” that one file.
# “- {{paths: [docs/], people: [NAME]}}” on a line of its own lets somebody change the documentation and nothing else.
grants:
  - {{paths: [/], people: {everyone}}}

# Who may change this file, and nobody else may. Two people, or one with two keys, are better than one: when the last
# key of them is lost, every user has to trust a new introduction.
policy_editors: {everyone}
"""
_KEYS = """
# Where the certificates of OpenPGP keys lie. The fingerprints above vouch for them.
openpgp_keys: {directory}
"""
_TAIL = """
# Paths that anyone may change, unsigned (remove the “#” in front to use it):
# unprotected: [examples/]

# Whether merges that a machine can make need no signature, such as those of a forge's merge button:
# unsigned_merges: true

# Whether one signed merge may vouch for a contributor's unsigned commits (“gitverify adopt”):
# adopting_merges: true
"""


@dataclass(frozen=True, slots=True)
class DraftPerson:
    """A person to be listed. ``label``: what another list calls them, anybody's words, ``""`` where nothing is said."""

    name: str
    keys: tuple[KeySpec, ...]
    label: str = ""


def draft(people: Sequence[DraftPerson], *, source: str = "") -> str:
    """Return the policy file: everyone listed may change everything. ``source``: where the list came from, in a word.

    Names must be a policy's (``native.is_name``) and differ, as keys must.
    """
    text = _HEAD
    if source:
        text = text.replace("\nversion: 1\n", f"\n# The people below are those of {source}.\nversion: 1\n", 1)
    text += "".join(f"{line}\n" for person in people for line in _person(person))
    everyone = f"[{people[0].name}]"
    if 1 < len(people) < _MANY:
        everyone = "[" + ", ".join(person.name for person in people) + "]"
    elif len(people) >= _MANY:
        text += "\n# Groups of people; elsewhere in this file a group is written with “@”.\ngroups:\n  everyone:\n"
        text += "".join(f"    - {person.name}\n" for person in people)
        everyone = '["@everyone"]'
    text += _GRANTS.format(everyone=everyone)
    if any(isinstance(key, OpenPgpKeySpec) for person in people for key in person.keys):
        text += _KEYS.format(directory=KEY_DIRECTORY)
    return text + _TAIL


def _person(person: DraftPerson) -> list[str]:
    lines = [f"  # {commented(person.label)}"] if person.label not in {"", person.name} else []
    return [*lines, f"  {person.name}:", "    keys:", *(f"      - {_key(key)}" for key in person.keys)]


def _key(key: KeySpec) -> str:
    if isinstance(key, OpenPgpKeySpec):
        return f"openpgp: {key.key}" if key.subkeys else f"{{openpgp: {key.key}, subkeys: no}}"
    line, comment = parse_blob(key.blob).line, plain_comment(key.comment)
    return f"{line} {comment}" if comment else line
