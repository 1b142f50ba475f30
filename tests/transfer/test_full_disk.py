"""A disk that is full in the middle of it, wherever that is: the verified state stays, and all goes on with more room.

How much is left decides what there is no more room for: to begin at all, for what is fetched, for its index, for what
is taken over, for what is written out.
"""

import os

import pytest
from smalldisk import filled, mounted
from ways import WAYS

KIB = 1024
_LEFT = [0, 4, 8, 16, 40, 100, 330, 400, 640, 680, 720]  # KiB


@pytest.fixture(params=WAYS)
def way(request, upstream):
    made = WAYS[request.param](upstream)
    with mounted(upstream.place / ("mirror" if made.name == "mirror" else "cache")) as place:
        made.disk = place
        made.first()
        yield made


def test_where_it_is_kept(way):
    before = way.state()
    way.upstream.commit("large", large=os.urandom(300 * KIB))
    seen = []
    for left in _LEFT:
        with filled(way.disk, left * KIB):
            seen.append(way.reason())
        if seen[-1] is None:
            break
        assert way.state() == before, left
    assert set(seen[:-1]) <= {"mirror-failed", "fetch-failed"}, seen
    assert len(seen) > 5
    way.goes_on("large")


def test_where_the_marks_are(upstream):
    with mounted(upstream.place / "state", "1m") as place:
        for way in [make(upstream) for make in WAYS.values()]:
            way.first()
            before = way.state(), way.marks()
            label = upstream.commit(f"next{way.name}")
            with filled(place, 0):
                assert way.reason() in {"state-unsafe", "state-corrupt"}, way.said
            assert (way.state(), way.marks()) == before
            assert way.reason() is None
            assert way.verified() == label
            upstream.commit("third")  # which is what the next one begins with


def test_where_it_is_written_out(upstream):
    upstream.commit("large", **{f"files/{number}": os.urandom(50 * KIB) for number in range(20)})
    with mounted(upstream.place / "small", "1m") as place:
        for left in (0, 4, 100, 500, 900):
            with filled(place, left * KIB):
                done = upstream.fetch("--branch", "main", "--output", "small/out")
                assert done.status == 4, left
                assert done.report["reason"] == "output-failed"
                assert [path.name for path in place.iterdir()] == ["filler"]
    assert upstream.fetch("--branch", "main", "--output", "out").status == 0
