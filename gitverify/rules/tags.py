"""Is a tag authentic (T1 to T6)? What R4 leaves open when it follows a tag to its commit.

* T1 It is an annotated tag object, as git writes them.
* T2 It has the name that it is asked for by.
* T3 What it tags is a commit.
* T4 That commit is authentic, from the introduction, and belongs to a branch that was accepted before, if any was.
* T5 Somebody signed it whom the policy of the tagged commit lists for tags (R8 to R13 as for a commit).
* T6 The policies that were accepted since list that key for tags still.

T5 alone would let a person whom the policy has dropped tag any commit from before that; T2 alone stops a server that
shows an old release under a new name.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from gitverify.errors import MalformedTag
from gitverify.objects.tag import parse_tag
from gitverify.rules.facts import CommitFacts, Refusal
from gitverify.rules.hints import HINTS
from gitverify.rules.refused import enough
from gitverify.rules.vouch import NotVouchedFor, vouchers
from gitverify.text import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitverify.objects.source import ObjectType
    from gitverify.objects.tag import Tag
    from gitverify.policies.model import Policy
    from gitverify.rules.facts import Examined, Voucher
    from gitverify.rules.vouch import KeyMaterial

_RESIGN = "Someone whom the policy lists for tags makes the tag again (git tag -s), under a new name if it is out."

# Where what is to be done about a tag is something else than about a commit.
TAG_HINTS = {
    "unsigned": _RESIGN,
    "bad-signature": "The tag was changed after it was signed, or the signature is damaged: find out who pushed it.",
    "unauthorized-key": _RESIGN,
    "revoked-key": "The key is in other hands: compare the release with the one its makers announced.",
    "malformed-commit": "Find out who made the tag, and what it should have named.",
}


class TagRefused(Exception):
    """Ends the judgement of a tag."""

    def __init__(self, refusal: Refusal) -> None:
        """Remember the answer."""
        super().__init__(refusal.message)
        self.refusal = refusal


class Law(NamedTuple):
    """A policy that judges a tag, its certificates, and the commit it stands in.

    ``later``: that commit was accepted since (T6); else it is the tagged one (T5).
    """

    policy: Policy
    material: KeyMaterial
    commit: bytes
    later: bool = False


class Lies(Enum):
    """How a mark lies to the tagged commit.

    OLDER: the tagged commit reaches all of the mark's over binding edges (R23), so its own policy is no older. NEWER:
    the mark's commits reach all that anybody vouched for in the tagged commit, over authentic edges. ASIDE: neither.
    """

    OLDER = "older"
    NEWER = "newer"
    ASIDE = "aside"


def refuse(tag: bytes, rule: str, code: str, message: str, **more: object) -> NoReturn:
    """Raise the refusal of a tag object (raw id); ``more`` are further fields of it."""
    hint = TAG_HINTS.get(code) or HINTS[code]
    raise TagRefused(Refusal(tag, rule, code, message, hint, **more))  # type: ignore[arg-type]


def read_tag(object_id: bytes, kind: ObjectType, raw: bytes, name: bytes) -> Tag:
    """Read a tag that is asked for by ``name`` (what follows ``refs/tags/``). Raises TagRefused.

    Proves T1 to T3, as far as the tag itself can: whether there is a commit with that id is not looked at.
    """
    if kind != "tag":
        refuse(object_id, "T1", "tag-not-annotated", f"“{shown(name)}” is no tag object: it points at a {kind}")
    try:
        tag = parse_tag(raw)
    except MalformedTag as error:
        refuse(object_id, "T1", "malformed-tag", str(error))
    if tag.name != name:
        message = f"the tag is asked for as “{shown(name)}”, and says of itself that it is “{shown(tag.name)}”"
        refuse(object_id, "T2", "tag-name", message)
    if tag.target_type == "tag":
        refuse(object_id, "T3", "tag-nested", f"it tags another tag, {tag.target.hex()}, not a commit")
    if tag.target_type != "commit":
        refuse(object_id, "T3", "tag-target", f"it tags the {tag.target_type} {tag.target.hex()}, not a commit")
    return tag


def counting(tag: bytes, marks: Sequence[Lies]) -> list[int]:
    """Return which of the marks have to list the signer of a tag (raw id) still (T6), as places in ``marks``.

    All commits of one mark have the same policy file: what leads to them over binding edges from a tip that nobody
    vouched for has the tip's. Raises TagRefused where there are marks, and all are aside (T4).
    """
    if set(marks) == {Lies.ASIDE}:
        message = "the tagged commit is authentic, but on no branch that was accepted here before, nor after its end"
        refuse(tag, "T4", "tag-aside", message)
    return [at for at, lies in enumerate(marks) if lies is Lies.NEWER]


def signed_by(tag: bytes, date: int, examined: Examined, law: Law) -> tuple[Voucher, ...]:
    """Return the people who vouch for a tag (raw id) and whom a policy lists for tags; at least one.

    ``date``: when the tag was made, at the earliest (seconds since 1970). ``examined``: the signature's result under
    the certificates that go with the policy. Raises TagRefused.
    """
    facts = CommitFacts(tag, b"", (), date, examined)
    since = f"since then, at {law.commit.hex()[:12]}: " if law.later else ""
    try:
        found = vouchers(facts, examined, law.policy, law.material)
    except NotVouchedFor as problem:
        rule = "T6" if law.later else problem.rule
        refuse(tag, rule, problem.code, since + problem.message, key=problem.key, judged_by=law.commit)
    if not enough(found, law.policy.tags):
        who = found[0]
        message = f"{since}the policy lists {shown(who.person)}, but not for tags"
        rule = "T6" if law.later else "T5"
        refuse(tag, rule, "unauthorized-key", message, key=who.key, person=who.person, judged_by=law.commit)
    return tuple([voucher for voucher in found if voucher.person in law.policy.tags])
