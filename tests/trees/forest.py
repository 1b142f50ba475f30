"""Trees in memory, made of dictionaries; and what a path is, from its definition."""

import hashlib

from gitverify.errors import MissingObject
from gitverify.objects.tree import DIRECTORY, TreeEntry, parse_tree, sort_key
from gitverify.treepath import Trees

FILE, EXECUTABLE, SYMLINK, GITLINK = b"100644", b"100755", b"120000", b"160000"


def file(value=0, mode=FILE):
    """A leaf: what is in it stands for its content."""
    return TreeEntry(mode, bytes([value]) * 20)


class Forest:
    """An object source that notes what is read; a directory is a dictionary of names."""

    def __init__(self):
        self.objects = {}
        self.read_ids = []

    def read(self, object_id):
        self.read_ids.append(object_id)
        if object_id not in self.objects:
            raise MissingObject(object_id)
        return "tree", self.objects[object_id]

    def trees(self):
        """What the program reads them with."""
        return Trees(self)

    def add(self, directory):
        """Return the id of a directory's tree; its own directories are dictionaries or ids."""
        raw = []
        for name, node in directory.items():
            below = self.add(node) if isinstance(node, dict) else node
            entry = TreeEntry(DIRECTORY, below) if isinstance(below, bytes) else below
            raw.append((sort_key(entry.mode, name), entry.mode + b" " + name + b"\0" + entry.id))
        return self.add_raw(b"".join(line for _, line in sorted(raw)))

    def add_raw(self, raw):
        object_id = hashlib.sha1(b"tree %d\0" % len(raw) + raw).digest()
        self.objects[object_id] = raw
        return object_id

    def chain(self, depth, name, tree):
        """Return a tree with this one so many directories down."""
        for _ in range(depth):
            tree = self.add({name: tree})
        return tree

    def directory(self, tree, path):
        """Return the id of the directory at a path; None where there is none."""
        for name in path.split(b"/") if path else ():
            entry = parse_tree(self.objects[tree]).get(name) if tree else None
            tree = entry.id if entry is not None and entry.is_directory else None
        return tree

    def leaves(self, tree):
        """Return path → entry of everything that is no directory."""
        found = {}
        for name, entry in parse_tree(self.objects[tree]).items() if tree else ():
            if entry.is_directory:
                found |= {name + b"/" + path: leaf for path, leaf in self.leaves(entry.id).items()}
            else:
                found[name] = entry
        return found

    def differences(self, before, after):
        """Return path → (entry before, entry after) of every leaf that differs, ordered by path."""
        old, new = self.leaves(before), self.leaves(after)
        return {path: (old.get(path), new.get(path)) for path in sorted(old | new) if old.get(path) != new.get(path)}
