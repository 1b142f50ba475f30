"""Import pygit2 where there are no certificates, too.

When it is imported it has libgit2 read the system's certificates, and fails where there are none, as in Nix's sandbox
and in small containers. Libgit2 talks to nobody here, git does: a directory without any will do.
"""

from __future__ import annotations

import ssl
import sys
from pathlib import Path

try:
    import pygit2
except Exception as error:
    if "certificates" not in str(error):
        raise
    _paths = ssl.get_default_verify_paths()._replace(
        cafile=None,  # type: ignore[arg-type]  # (what it is where there is none)
        capath=str(Path(__file__).parent),
    )
    _original = ssl.get_default_verify_paths
    sys.modules.pop("pygit2.settings", None)  # it has the function by name
    ssl.get_default_verify_paths = lambda: _paths
    try:
        import pygit2  # noqa: F401  (for whoever imports it after this)
    finally:
        ssl.get_default_verify_paths = _original
