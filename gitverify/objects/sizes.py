"""How large an object of each kind may be: asked before its content is read."""

from __future__ import annotations

from gitverify.errors import OversizedObject
from gitverify.limits import LIMITS


def check_size(kind: str, size: int, blob_size: int | None = None) -> None:
    """Return where an object of this kind (commit, tree, blob, tag) may have so many bytes.

    ``blob_size``: the limit of a blob, where it is another than that of what is parsed. Raises OversizedObject: a few
    kilobytes of a pack can inflate to gigabytes.
    """
    if kind == "commit":
        limit = LIMITS.commit_size
    elif kind == "tree":
        limit = LIMITS.tree_size
    elif kind == "tag":
        limit = LIMITS.tag_size
    else:
        limit = LIMITS.blob_size if blob_size is None else blob_size
    if size > limit:
        raise OversizedObject(kind, size, limit)
