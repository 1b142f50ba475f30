"""Mutation testing: ``python -m tests.mutation gitverify/rules/linear.py --tests tests/rules``.

What decides is changed in one place at a time, and some test must notice. A change that no test notices is either a
test that is missing or has its reason in ``survivors.txt``. The sources are never written to: a copy of the tree is
tested, and even there the changed code exists only in the process that tests it.
"""
