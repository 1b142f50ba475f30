"""What is not said is nothing."""

from gitverify.rules.facts import Examined, Refusal


def test_a_signature_that_was_not_looked_at_is_nobodys():
    assert Examined() == (None, None, "", 0, None, None, None)


def test_a_refusal_says_no_more_than_it_was_told():
    refusal = Refusal(b"c", "R8", "unsigned", "it is not signed")
    assert (refusal.hint, refusal.path, refusal.key, refusal.person, refusal.judged_by) == ("", None, None, None, None)
