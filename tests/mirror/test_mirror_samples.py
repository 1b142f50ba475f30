"""What docs/mirror.md shows of the program is what the program prints."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs/mirror.md"
URL, PLACE = "https://example.org/app.git", "/srv/app.git"


def sample(command):
    """Return what the page has for a command: the words, and the output."""
    found = re.search(rf"^\$ ({command}[^\n]*)\n(.*?)(?=^\$|^```)", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    return found[1].split()[1:], found[2]


def test_what_is_refused_and_what_there_is_then(upstream, monkeypatch):
    def printed(words):
        done = upstream.scene_run(*["app.git" if word == PLACE else word for word in words], "--jobs", "1")
        return done.stdout.replace(str(upstream.place / "app.git"), PLACE).replace(upstream.url, URL)

    date = int(upstream.git("show", "-s", "--format=%ct", "main"))
    monkeypatch.setattr("time.time", lambda: date + 2 * 86_400)
    words = ["mirror", "update", PLACE, "--url", upstream.url, "--branch", "main", *upstream.anchor]
    assert "is now at" in printed(words)
    upstream.bad()
    monkeypatch.setattr("time.time", lambda: date + 3 * 86_400)
    words, output = sample("gitverify mirror update")
    assert printed(words) == output
    words, output = sample("gitverify mirror status")
    done = upstream.scene_run("mirror", "status", "app.git")
    assert done.stdout.replace(str(upstream.place / "app.git"), PLACE).replace(upstream.url, URL) == output
    assert words == ["mirror", "status", PLACE]
