"""Trees in memory, well-formed or not, as an object source that gives contents."""

from emit import Repository

from gitverify.errors import OversizedObject


class Objects(Repository):
    """Objects by id; ``file`` and ``tree`` put some in."""

    def content(self, object_id, limit):
        kind, body = self.read(object_id)
        if len(body) > limit:
            raise OversizedObject(kind, len(body), limit)
        return body if kind == "blob" else None

    def file(self, content=b"x"):
        return self.add("blob", content)

    def tree(self, *entries):
        """Entries are (mode, name, id), and stand in the tree as they are given."""
        return self.add("tree", b"".join(b"%s %s\0%s" % entry for entry in entries))

    def of(self, **files):
        """A tree of plain files."""
        return self.tree(*((b"100644", name.encode(), self.file(text.encode())) for name, text in files.items()))

    def nested(self, tree, depth, wide=1):
        """A tree that has another one so many times, and so on, so deep."""
        for _ in range(depth):
            tree = self.tree(*((b"40000", b"d%d" % n, tree) for n in range(wide)))
        return tree
