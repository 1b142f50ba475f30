"""The one question that the rules ask of a repository: the bytes of an object."""

from __future__ import annotations

from typing import Literal, Protocol

ObjectType = Literal["commit", "tree", "blob", "tag"]


class ObjectSource(Protocol):
    """Reads objects by id. Another reader (SHA-256, a partial clone that fetches) is another class."""

    def read(self, object_id: bytes) -> tuple[ObjectType, bytes]:
        """Return the type and content of an object whose content has been hashed against ``object_id``.

        ``object_id`` is raw (20 bytes). Raises :class:`~gitverify.errors.MissingObject` where the object is not
        there or its bytes do not hash to the id (R5), :class:`~gitverify.errors.OversizedObject` where it is larger
        than :mod:`gitverify.limits` allows; it has not been read then.
        """
        ...
