"""The rules of authentication, read slowly: a second implementation, to compare the engine with.

It is written from the rules alone and imports nothing of gitverify. Commits, policies and signatures are abstract
values; there are no objects, no bytes to parse, no cache, and every set is found by brute force. Where a rule is
cited by number, that rule is all the function does.

What it knows: the trust anchor (R1 to R3), R6 and R7 as a given flag, a signature's result as a given value (R8),
policies (R14 to R16), every way for a commit to be authentic (R17 to R22b) with the mechanical merge (section 6), and
the floor (R23, R23b, R26, R27). Key material (R10 to R12) is no part of it.

Readings chosen where the rules leave room are marked *Reading*.
"""

from reference.answer import (
    anchored,
    answer,
    decide,
    decide_all,
    judge,
    newest_authentic,
)
from reference.floor import binding_reach, r23_mark, r26_problem
from reference.known import Decision, Known, closure, is_authentic, is_main, reach
from reference.model import (
    DAY,
    DIALECT_FILES,
    Entry,
    History,
    Listing,
    Question,
    RefCommit,
    RefPerson,
    RefPolicy,
    RefReport,
    RefSignature,
    Tree,
    World,
)
from reference.policies import r14_file_problem
from reference.vouching import vouchers

__all__ = [
    "DAY",
    "DIALECT_FILES",
    "Decision",
    "Entry",
    "History",
    "Known",
    "Listing",
    "Question",
    "RefCommit",
    "RefPerson",
    "RefPolicy",
    "RefReport",
    "RefSignature",
    "Tree",
    "World",
    "anchored",
    "answer",
    "binding_reach",
    "closure",
    "decide",
    "decide_all",
    "is_authentic",
    "is_main",
    "judge",
    "newest_authentic",
    "r14_file_problem",
    "r23_mark",
    "r26_problem",
    "reach",
    "vouchers",
]
