"""The map's boxes: inside of each other, beside each other, and as large as what they stand for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitverify.audit.model import Folder
from gitverify.audit.tally import folders_above
from gitverify.report.audit_treemap import treemap


def folders(weights, unprotected=()):
    """Folders for paths of files with weights, of which the authentic part comes second."""
    found = {b"": Folder(b"")}
    for path, (weight, authentic) in weights.items():
        for above in folders_above(path):
            folder = found.setdefault(above, Folder(above))
            folder.weight += weight
            folder.authentic_weight += authentic
            folder.unprotected = any(above.startswith(prefix) for prefix in unprotected)
    return [folder for _, folder in sorted(found.items())]


NAMES = st.sampled_from([b"a", b"b", b"c", b"d"])
PATHS = st.lists(NAMES, min_size=1, max_size=5).map(lambda names: b"/".join(names) + b"/x")
WEIGHTS = st.floats(0.01, 1000).flatmap(lambda weight: st.tuples(st.just(weight), st.floats(0, weight)))


def everywhere(boxes):
    for box in boxes:
        yield box
        yield from everywhere(box.inside)


@given(st.dictionaries(PATHS, WEIGHTS, min_size=1, max_size=30))
def test_boxes_fill_the_place_and_do_not_overlap(weights):
    found = treemap(folders(weights))
    levels = [found, *(box.inside for box in everywhere(found) if box.inside)]
    for boxes in levels:
        assert sum(box.width * box.height for box in boxes) == pytest.approx(100 * 100, rel=1e-6)
        for box in boxes:
            assert box.left >= -1e-6
            assert box.top >= -1e-6
            assert box.left + box.width <= 100 + 1e-6
            assert box.top + box.height <= 100 + 1e-6
        for at, box in enumerate(boxes):
            for other in boxes[:at]:
                across = min(box.left + box.width, other.left + other.width) - max(box.left, other.left)
                down = min(box.top + box.height, other.top + other.height) - max(box.top, other.top)
                assert across < 1e-6 or down < 1e-6


@given(st.dictionaries(PATHS, WEIGHTS, min_size=1, max_size=30))
def test_a_box_is_as_large_as_its_share(weights):
    found = treemap(folders(weights))
    total = sum(weight for weight, _ in weights.values())
    authentic = sum(authentic for _, authentic in weights.values())
    assert sum(box.weight for box in found) == pytest.approx(total)
    assert sum(box.authentic for box in found) == pytest.approx(authentic, abs=1e-6)
    for box in found:
        assert box.width * box.height == pytest.approx(100 * 100 * box.weight / total, rel=1e-6)
    for box in everywhere(found):
        assert 0 <= box.share <= 1 + 1e-9
        if box.inside:
            assert sum(inner.weight for inner in box.inside) == pytest.approx(box.weight)


def test_nothing_has_no_boxes():
    assert treemap([]) == ()
    assert treemap([Folder(b"")]) == ()


def test_files_right_in_a_folder_have_a_box_of_their_own():
    here, below = sorted(treemap(folders({b"x": (1, 1), b"a/x": (3, 0)})), key=lambda box: box.name)
    assert (here.name, here.path, here.more, here.share) == (b"", b"", 0, 1)
    assert (below.name, below.path, below.share) == (b"a/", b"a/", 0)


def test_a_folder_with_one_folder_in_it_takes_one_box():
    (box,) = treemap(folders({b"a/b/c/x": (1, 0)}))
    assert box.name == box.path == b"a/b/c/"


def test_what_is_too_small_is_put_together():
    many = {b"s%d/x" % number: (0.001, 0.0) for number in range(20)}
    boxes = treemap(folders(many | {b"a/x": (10, 10)}))
    assert [(box.name, box.more) for box in boxes] == [(b"a/", 0), (b"", 20)]


def test_only_the_outermost_unprotected_box_is_marked():
    found = treemap(folders({b"a/b/x": (5, 0), b"a/c/x": (5, 0), b"d/x": (5, 0)}, unprotected=[b"a/"]))
    assert [box.path for box in everywhere(found) if box.freed] == [b"a/"]


def test_there_is_room_for_text_or_there_is_none():
    weights = {b"large/x": (1000, 0), b"low/x": (12, 0), b"tiny/x": (2, 0)}
    lines = {box.path: box.lines for box in treemap(folders(weights))}
    assert lines[b"large/"] == 2
    assert lines[b"tiny/"] == 0
