"""Audits of abstract histories (``emit``), with what was found about each commit."""

from __future__ import annotations

from dataclasses import replace
from unittest import mock

from gitverify.audit import run
from gitverify.audit.model import Question
from gitverify.audit.tally import Tally
from gitverify.policies.model import Dialect, PathPrefix


def judged(source, question):
    """The audit, and what was found about each commit."""
    found = {}

    class Kept(Tally):
        def add(self, one):
            found[one.commit] = one
            super().add(one)

    with mock.patch.object(run, "Tally", Kept):
        return run.audit(source, question), found


def proposing(request, policy, **more):
    """The question what this policy would make of the history of the request's tip."""
    asked = replace(request, introduction=request.tip, signer=None, dialect=Dialect.NATIVE)
    return Question(request=asked, policy=policy, **more)


def freeing(policy, *prefixes):
    """The policy with these prefixes unprotected too, given as the audit writes them."""
    made = tuple(PathPrefix(prefix.rstrip(b"/"), subtree=prefix.endswith(b"/")) for prefix in prefixes)
    return replace(policy, unprotected=policy.unprotected + made)
