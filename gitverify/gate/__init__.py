"""``gitverify check``: would a branch be authentic on top of another, by each of the ways that a forge brings it in?"""
