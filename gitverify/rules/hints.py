"""What a maintainer can do about each reason code: one sentence, shown beside the refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitverify.rules.facts import Refusal

if TYPE_CHECKING:
    from gitverify.errors import MissingObject

_RESIGN = "If the commit is wanted, someone whom the policy lists signs it again (git commit --amend -S)."

HINTS: dict[str, str] = {
    "unsigned": _RESIGN,
    "bad-signature": "The commit was changed after it was signed, or the signature is damaged: find out who pushed it.",
    "unauthorized-key": "Either an earlier commit adds the signer's key to the policy, or a listed person signs.",
    "unknown-key": "Add the signer's certificate to the key directory or keyring, or name one with --keyring.",
    "revoked-key": "Find out since when the key is in other hands; take a newer introduction signed by another key.",
    "expired-key": "The owner extends the key's expiry and the new certificate is committed, or someone else signs.",
    "unauthorized-path": "Someone with a grant on these paths signs the commit, or the policy grants them first.",
    "policy-unauthorized": "One of the policy's editors makes this change to the policy file.",
    "weak-signature": "Sign with an Ed25519 key, or RSA of 2048 bits or more, and SHA-256 or better.",
    "unsupported-signature": "Sign with an SSH key (git config gpg.format ssh) or an OpenPGP key.",
    "malformed-commit": "No git command writes such a commit; find out who made it and leave it out of the branch.",
    "malformed-tree": "No git command writes such a tree; find out who made it and leave it out of the branch.",
    "policy-missing": "Restore the policy file in the commit that removed it.",
    "policy-invalid": "Correct the policy file in this commit (not in a later one).",
    "policy-lockout": "List at least one person with a key who may change the policy file.",
    "policy-unsupported": "Leave the feature out of the policy, or take a version of gitverify that has it.",
    "dialect-changed": "Keep the policy file of the introduction's dialect, or hand out a new introduction.",
    "parent-not-authentic": "Mend the parent first.",
    "merge-not-mechanical": "Someone with grants on what it changes signs it, or it is made again without edits.",
    "merge-policy-conflict": "An editor of every parent's policy signs the merge, or one branch is rebased.",
    "merge-revoked-side": "Rebase that branch, or have someone with grants on all that it changes sign the merge.",
    "merge-unsupported": "Merge two branches that share history at a time, or have the merge signed.",
    "not-descendant": "Check that this is the right branch and the right introduction.",
    "introduction-signer": "Check the introduction and its signer with the people who handed them out.",
    "rollback": "The branch was rewritten. Ask the maintainers; if they meant it, --allow-rollback accepts it once.",
    "behind": "The server shows an older state than before. Fetch again; --allow-rollback accepts it once.",
    "not-contained": "This branch lacks a commit you know to be good. Ask the maintainers why.",
    "stale": "No listed person has committed lately, or the server withholds news. Compare with another mirror.",
    "worktree-dirty": "Put it back as the commit has it (git status --ignored shows most of it), or take a new clone.",
    "malformed-tag": "No git command writes such a tag; find out who made it.",
    "tag-name": "The server shows a tag under another's name. Fetch it from elsewhere, and tell the maintainers.",
    "tag-not-annotated": "Ask for a signed tag (git tag -s), or verify the commit itself: gitverify verify.",
    "tag-nested": "Ask about the tag inside, or have the commit itself tagged.",
    "tag-target": "Have the commit tagged.",
    "tag-aside": "Verify the branch that the tagged commit is on (gitverify verify BRANCH), then ask again.",
    "output-failed": "Nothing appeared. Make room, or name a directory on a file system that keeps names and modes.",
    "lock-invalid": "Have Nix write it again (nix flake lock), and find out who changed it so.",
    "lock-mismatch": "Have Nix lock the input again (nix flake lock); if it says the same, tell the maintainers.",
    "input-missing": "If the flake has it no more, remove the setting (git config); else have Nix lock it again.",
    "input-not-configured": "Name its introduction: --introduction INPUT=COMMIT, or leave out --require-all.",
    "input-unsupported": "Have the flake take the input in another form, or remove its introduction and look yourself.",
    "mirror-missing": "Make a clone or mirror of the input and name it: --mirror INPUT=DIR.",
    "introduction-missing": "Check the id with those who handed it out; if it is right, fetch the branch it is on.",
    "introduction-policy": "Check the id with those who handed it out, and --dialect and --policy-path.",
    "unsupported-repository": "Verify a clone in git's usual format (SHA-1).",
    "route-undecided": "See what stopped it: conflicts, or what this clone or this git does not have.",
    "fetch-failed": "Try again later or from elsewhere; what was verified before stays as it is.",
    "mirror-failed": "The mirror stays as it was. Make room, see what git says, or make a new one from the URL.",
    "missing-object": "Fetch the rest of the history: git fetch --unshallow, or --refetch in a partial clone.",
}

_DAMAGED = "Run git fsck --full to see what else is damaged, and take the objects from a fresh clone."


def missing_object(error: MissingObject) -> Refusal:
    """Make the answer for an object that is absent or damaged (R5)."""
    hint = HINTS["missing-object"] if error.absent else _DAMAGED
    return Refusal(error.object_id, "R5", "missing-object", str(error), hint)
