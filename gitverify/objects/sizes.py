"""How large an object of each kind may be: asked before its content is read."""

from __future__ import annotations

from gitverify.errors import OversizedObject
from gitverify.limits import LIMITS


def check_size(kind: str, size: int, blob_size: int | None = None) -> None:
    """Return where an object of this kind (commit, tree, blob, tag) may have so many bytes.

    ``blob_size``: the limit of a blob, where it is another than that of what is parsed. Raises OversizedObject: a few
    kilobytes of a pack can inflate to gigabytes.
    """
    blob_size = LIMITS.blob_size if blob_size is None else blob_size
    limit = {"commit": LIMITS.commit_size, "tree": LIMITS.tree_size, "tag": LIMITS.tag_size}.get(kind, blob_size)
    if size > limit:
        raise OversizedObject(kind, size, limit)
