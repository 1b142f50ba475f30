"""The three ways in which something is fetched and verified, so that what is bad can be shown to each of them."""

import contextlib
import json

from mirror.test_mirror import Mirror
from remote.test_remote import Remote

from gitverify.mark import MarkStore


class Way:
    """One way. ``name`` says which."""

    def __init__(self, upstream):
        self.upstream = upstream

    def first(self):
        """Fetch what is there before anything bad happens."""
        assert self.reason() is None, self.said
        assert self.verified() == self.upstream.ids["third"]

    def marks(self):
        with MarkStore.open(self.upstream.place / "state/gitverify", read_only=True) as store:
            return store.all()

    def stays(self, *reasons, **environment):
        """Refused for one of these reasons, and the verified state is the old one."""
        before, marks = self.state(), self.marks()
        found = self.reason(**environment)
        assert found in reasons, self.said
        assert self.state() == before
        # What is authentic and can't be taken over is authentic.
        assert found == "mirror-failed" or self.marks() == marks

    def goes_on(self, label):
        """Nothing is in the way of a commit that is authentic."""
        assert self.reason() is None, self.said
        assert self.verified() == self.upstream.ids[label]


class Fetching(Way):
    """``gitverify fetch``: the verified state is the mark, and what was written out."""

    name = "fetch"
    said = tip = None

    def reason(self, *arguments, url=None, **environment):
        out = self.upstream.place / "out"
        if out.exists():
            out.rename(self.upstream.place / f"out{len(list(self.upstream.place.iterdir()))}")
        done = self.upstream.fetch("--branch", "main", "--output", "out", *arguments, url=url, **environment)
        self.said = str(done.error) if done.report is None else done.stdout
        if done.report is None:
            return "usage"
        assert out.exists() == (done.status == 0)
        if done.status == 0:
            self.tip = done.report["tip"]
        return done.report["reason"]

    def state(self):
        assert not list(self.upstream.place.glob(".gitverify-export-*"))
        return sorted(path.read_bytes() for path in self.upstream.place.glob("out*/**/*") if path.is_file())

    def verified(self):
        return self.tip


class Mirroring(Way):
    """``gitverify mirror update``: the verified state is what the mirror has."""

    name = "mirror"
    said = None

    def __init__(self, upstream):
        super().__init__(upstream)
        self.mirror = Mirror(upstream)

    def reason(self, *arguments, url=None, **environment):
        words = [*self.mirror.first] if self.mirror.tip() is None else []
        mirror = self.mirror
        if url:  # whose mirror is another one
            words = ["--url", url, "--branch", "main", *self.upstream.anchor]
            mirror = Mirror(self.upstream)
            mirror.path = mirror.path.with_name("other")
        done = mirror.update(*words, *arguments, **environment)
        self.said = str(done.error) if not done.stdout else done.stdout
        if not done.stdout:
            return "usage"
        return done.reason if done.branches else json.loads(done.stdout)["reason"]

    def state(self):
        assert self.mirror.is_sound()
        return self.mirror.tip(), self.mirror.objects()

    def verified(self):
        return self.mirror.tip()


class Helping(Way):
    """``git-remote-verified``: the verified state is what git is served."""

    name = "remote"
    said = None

    def __init__(self, upstream):
        super().__init__(upstream)
        self.remote = Remote(upstream)

    def reason(self, *, url=None, **environment):
        url = f"verified::{url}" if url else self.remote.url
        done = self.remote.git("ls-remote", url, **environment)
        self.said = done.stderr
        if not done.stderr:
            return None
        if "NOT VERIFIED" not in done.stderr:
            return "usage"
        assert done.returncode == 0
        (line,) = [line for line in done.stderr.splitlines() if " (R" in line]
        return line.split()[0]

    @contextlib.contextmanager
    def unasked(self):
        """What is served whatever upstream is: its server can't be reached."""
        away = self.upstream.path.with_name("away")
        self.upstream.path.rename(away)
        try:
            yield
        finally:
            away.rename(self.upstream.path)

    def state(self):
        place = self.upstream.place / f"clone{len(list(self.upstream.place.iterdir()))}"
        with self.unasked():
            done = self.remote.git("clone", "-q", "--mirror", self.remote.url, place)
        assert done.returncode == 0, done.stderr
        return self.upstream.git("cat-file", "--batch-all-objects", "--batch-check", at=place).splitlines()

    def verified(self):
        with self.unasked():
            return self.remote.git("ls-remote", self.remote.url, "refs/heads/main").stdout.split()[0]


WAYS = {way.name: way for way in (Fetching, Mirroring, Helping)}
