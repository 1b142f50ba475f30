"""Trees in memory with files in them, and the mechanical merge of four of them."""

from hashlib import sha1

from trees.forest import FILE, Forest

from gitverify.errors import MissingObject
from gitverify.objects.tree import TreeEntry
from gitverify.policies.coverage import NOTHING
from gitverify.trees.mechanical import unsettled, unsettled_paths

# A file that both sides changed without conflict.
LINES = b"1\n2\n3\n4\n5\n"
FIRST, LAST = b"x\n2\n3\n4\n5\n", b"1\n2\n3\n4\ny\n"
BOTH = b"x\n2\n3\n4\ny\n"
OTHER = b"z\n2\n3\n4\n5\n"  # as FIRST, but otherwise


class Store(Forest):
    """Trees and the files in them."""

    def __init__(self):
        super().__init__()
        self.blobs = {}
        self.blobs_read = []

    def file(self, content=b"", mode=FILE):
        blob = sha1(content).digest()
        self.blobs[blob] = content
        return TreeEntry(mode, blob)

    def blob(self, blob):
        self.blobs_read.append(blob)
        if blob not in self.blobs:
            raise MissingObject(blob)
        return self.blobs[blob]

    def tree(self, node):
        """Return the id of a tree; a file is its content, or (mode, content)."""

        def entry(below):
            if isinstance(below, dict):
                return {name: entry(inner) for name, inner in below.items()}
            return self.file(*below[::-1]) if isinstance(below, tuple) else self.file(below)

        return self.add(entry(node))

    def ask(self, trees, law=NOTHING, **options):
        return unsettled(self.trees(), self.blob, *trees, law, **options)

    def paths(self, trees, **options):
        return list(unsettled_paths(self.trees(), self.blob, *trees, **options))
