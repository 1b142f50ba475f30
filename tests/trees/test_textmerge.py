"""Merging lines: against git and libgit2, and against what a merge may be at all."""

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trees.oracles import Scratch, merge_file, needs_merge_tree

from gitverify.limits import LIMITS
from gitverify.trees import histogram, myers
from gitverify.trees.effort import Effort
from gitverify.trees.hunks import Hunk, hunks
from gitverify.trees.textmerge import _merges, is_clean_merge, merge, mergeable


def text(lines):
    """A file from letters, one a line; an underscore at the end: the last line lacks its line feed."""
    return b"".join(b"%c\n" % line for line in lines.encode()).removesuffix(b"\n_\n")


def by_myers(base, ours, theirs):
    return next(_merges((base, ours, theirs), (myers.differing,), None), None)


# --- what is clean, and what it comes to ----------------------------------------------------------------------------

CLEAN = [
    # base, ours, theirs, result
    ("abc", "xabc", "abcy", "xabcy"),
    ("abc", "abc", "axc", "axc"),
    ("abc", "axc", "abc", "axc"),
    ("abc", "axc", "axc", "axc"),  # both the same
    ("abcde", "axcde", "abcye", "axcye"),  # one line between
    ("abcde", "acde", "abcd", "acd"),
    ("abcde", "abcd", "bcde", "bcd"),
    ("abcdef", "def", "abc", None),  # they touch
    ("abcdefg", "efg", "abc", None),  # they overlap
    ("abc", "axc", "abxc", None),
    ("abc", "axyc", "axzc", None),
    ("abcd", "axcd", "abyd", None),  # nothing between
    ("abc", "axbc", "aybc", None),  # two additions in one place
    ("abc", "axbc", "axbc", "axbc"),
    ("abcd", "ad", "axd", None),
    ("abcde", "axyde", "axyde", "axyde"),
    ("abcdefgh", "aXYdefgh", "aXcdefgh", None),
    # Together both sides make the same of the touching lines, though not in the same steps.
    ("abc", "xbyc", "xbyc", "xbyc"),
    ("", "a", "", "a"),
    ("", "a", "b", None),
    ("", "a", "a", "a"),
    ("a", "", "a", ""),
    ("a", "", "", ""),
    ("a", "", "b", None),
    ("a", "ab", "", None),
    # The last line's line feed belongs to the line.
    ("abc_", "xabc_", "abc_", "xabc_"),
    ("abc", "xabc", "abc_", "xabc_"),
    ("abc_", "abc", "xabc_", "xabc"),
    ("abc", "abc_", "abcd", None),
    ("abc_", "abc", "abc", "abc"),
    ("a_", "a", "b_", None),
]


@pytest.mark.parametrize(("base", "ours", "theirs", "result"), CLEAN)
def test_small_merges(base, ours, theirs, result):
    base, ours, theirs = map(text, (base, ours, theirs))
    wanted = None if result is None else text(result)
    assert merge(base, ours, theirs) == wanted
    assert merge(base, theirs, ours) == wanted
    for recorded in (base, ours, theirs, base + b"more\n", b""):
        assert is_clean_merge(base, ours, theirs, recorded) == (recorded == wanted)
    assert wanted is None or is_clean_merge(base, ours, theirs, wanted)


def test_carriage_returns_are_bytes_like_others():
    assert merge(b"a\r\nb\r\nc\r\n", b"x\r\nb\r\nc\r\n", b"a\r\nb\r\nc\n") == b"x\r\nb\r\nc\n"
    assert merge(b"a\rb\rc\r", b"x\rb\rc\r", b"a\rb\ry\r") is None  # one line only
    assert merge(b"a\r\n", b"a\n", b"a\r\nb\n") is None


def test_a_nul_near_the_beginning_makes_a_file_binary():
    base, ours, theirs = b"a\n" * 4000 + b"b\n", b"x\n" + b"a\n" * 4000 + b"b\n", b"a\n" * 4000 + b"c\n"
    result = b"x\n" + b"a\n" * 4000 + b"c\n"
    assert merge(base, ours, theirs) == result
    for at in (7999, 8000):
        contents = [content[:at] + b"\0" + content[at:] for content in (base, ours, theirs)]
        assert [*map(mergeable, contents)] == 3 * [at == 8000]
    for number in range(3):
        contents = [base, ours, theirs]
        contents[number] = b"\0" + contents[number]
        assert merge(*contents) is None
        assert not is_clean_merge(*contents, result)


def test_a_nul_further_on_does_not():
    lines = b"a\n" * 4000 + b"\0\n" + b"a\n" * 5
    assert merge(lines, b"x\n" + lines, lines + b"y\n") == b"x\n" + lines + b"y\n"


def test_what_either_algorithm_makes_is_taken():
    """All that is known to differ between current git and libgit2 is of these three kinds."""
    cases = [
        ("caa", "aac", "c", "aac", None),  # by histogram, by Myers's algorithm
        ("aba", "aa", "aab", None, "aab"),
        ("caaa", "caa", "ccaa", "ccaa", "cca"),
    ]
    for *contents, first, second in cases:
        versions = [*map(text, contents)]
        assert merge(*versions) == (None if first is None else text(first))
        assert by_myers(*versions) == (None if second is None else text(second))
        for result in (first, second):
            assert result is None or is_clean_merge(*versions, text(result))
        assert not is_clean_merge(*versions, text("ca"))


def test_hunks_lie_as_low_as_they_can():
    def between(old, new):
        return hunks(old.encode(), new.encode(), histogram.differing, Effort(10**6))

    assert between("xaay", "xaaay") == [Hunk(3, 3, 3, 4)]
    assert between("xaaay", "xaay") == [Hunk(3, 4, 3, 3)]
    assert between("xabaaby", "xaby") == [Hunk(3, 6, 3, 3)]
    assert between("abc", "abc") == []
    assert between("", "ab") == [Hunk(0, 0, 0, 2)]
    assert between("ab", "") == [Hunk(0, 2, 0, 0)]


def test_moving_is_counted():
    def moved(old, new, old_flags, new_flags):
        effort = Effort(100)
        found = hunks(old.encode(), new.encode(), lambda *_: (bytearray(old_flags), bytearray(new_flags)), effort)
        return found, 100 - effort.left

    # Down; up and down again; beside what the other file lacks.
    assert moved("aaa", "aaaa", [0, 0, 0], [1, 0, 0, 0]) == ([Hunk(3, 3, 3, 4)], 3)
    assert moved("aaa", "aaaa", [0, 0, 0], [0, 0, 1, 0]) == ([Hunk(3, 3, 3, 4)], 2 + 3)
    assert moved("axaa", "aaaa", [0, 1, 0, 0], [0, 0, 1, 0]) == ([Hunk(1, 2, 1, 2)], 2 + 3 + 2)


# --- git and libgit2 ------------------------------------------------------------------------------------------------

WORDS = ["".join(word) for length in range(4) for word in itertools.product("ab", repeat=length)]
SMALL = [tuple(map(text, words)) for words in itertools.product(WORDS, repeat=3)]


def changed(triples):
    """Leave out what git settles without looking at lines."""
    return [triple for triple in triples if len(set(triple)) == 3]


def edited(rng, lines, letters, edits):
    lines = [*lines]
    for _ in range(rng.randint(0, edits)):
        at, what = rng.randint(0, len(lines)), rng.random()
        if what < 0.35:
            lines[at:at] = rng.choices(letters, k=rng.randint(1, 4))
        elif what < 0.7:
            del lines[at : at + rng.randint(1, 4)]
        elif what < 0.85:
            start = rng.randint(0, len(lines))
            lines[at:at] = lines[start : start + rng.randint(1, 6)]
        else:
            lines[at : at + 1] = rng.choices(letters)
    return lines


def written(rng, lines):
    return b"\n".join(lines) + (b"" if not lines or rng.random() < 0.1 else b"\n")


def triples(letters, length, edits, count):
    """Files of so many different lines, and edits of them on either side."""
    rng = random.Random(f"{letters} {length}")
    alphabet = [b"%d" % number for number in range(letters)]
    made = []
    for _ in range(count):
        base = rng.choices(alphabet, k=rng.randint(0, length))
        sides = [edited(rng, base, alphabet, edits) for _ in range(2)]
        made.append(tuple(written(rng, lines) for lines in (base, *sides)))
    return changed(made)


def rewritten(length, blanks, count):
    """Long passages written anew on either side, with new lines and the same blank lines and braces in them."""
    rng = random.Random(f"{length} {blanks}")
    fresh = itertools.count()

    def passage(lines):
        return [rng.choice([b"", b"}"]) if rng.random() < blanks else b"%d" % next(fresh) for _ in range(lines)]

    made = []
    for _ in range(count):
        base = passage(length)
        sides = []
        for _ in range(2):
            start, lines = rng.randint(0, length), rng.randint(0, length // 2)
            middle = passage(rng.randint(0, length // 2)) + rng.sample(base, rng.randint(0, 3))
            sides.append(base[:start] + middle + base[start + lines :])
        made.append(tuple(written(rng, lines) for lines in (base, *sides)))
    return changed(made)


def repeated(times, count):
    """Few lines but for one, which is there about so many times."""
    rng = random.Random(times)
    made = []
    for _ in range(count):
        base = rng.sample([b"x"] * (times + rng.randint(-2, 2)) + [b"a", b"b", b"c"] * rng.randint(1, 9), k=times)
        base += [b"x"] * (times + rng.randint(-1, 1) - base.count(b"x"))
        sides = [edited(rng, base, [b"x", b"a", b"d"], 3) for _ in range(2)]
        made.append(tuple(written(rng, lines) for lines in (base, *sides)))
    return changed(made)


SAMPLES = {
    "all small ones": changed(SMALL),
    "short": triples(3, 8, 3, 1500),
    "medium": triples(9, 20, 4, 1500),
    "long": triples(40, 100, 6, 600),
    # Lines that are frequent enough to be put aside, and to be no anchors.
    "two lines": triples(2, 400, 30, 80),
    "seven lines": triples(7, 600, 25, 60),
    "mostly unique": triples(400, 500, 15, 150),
    "blank lines": rewritten(60, 0.5, 200),
    "some blank lines": rewritten(200, 0.2, 150),
    "64 times": repeated(64, 300),
}


@pytest.mark.parametrize("sample", SAMPLES)
def test_current_git_makes_the_same(tmp_path, sample):
    needs_merge_tree()
    versions = SAMPLES[sample]
    results = Scratch(tmp_path).by_git(versions)
    assert [merge(*triple) for triple in versions] == results
    assert any(results)
    assert not all(results)
    for triple, result in zip(versions, results, strict=True):
        assert result is None or is_clean_merge(*triple, result)


@pytest.mark.parametrize("sample", SAMPLES)
def test_libgit2_makes_the_same(tmp_path, sample):
    versions = SAMPLES[sample]
    results = Scratch(tmp_path).by_libgit2(versions)
    assert [by_myers(*triple) for triple in versions] == results
    for triple, result in zip(versions, results, strict=True):
        assert result is None or is_clean_merge(*triple, result)


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("algorithm", [histogram, myers])
def test_git_takes_the_same_lines_for_changed(tmp_path, sample, algorithm):
    pairs = [(base, side) for base, *sides in SAMPLES[sample] for side in sides]
    pairs += [(side, base) for base, side in pairs]
    lines = [tuple(content.splitlines(keepends=True) for content in pair) for pair in pairs]
    found = [hunks(old, new, algorithm.differing, Effort(10**7)) for old, new in lines]
    assert found == Scratch(tmp_path).diffs(pairs, algorithm.__name__.rpartition(".")[2])


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tmp_path_factory.mktemp("merge-file")


LINES = st.lists(st.sampled_from([b"a", b"b", b"c", b"{", b"}", b"", b"a\r"]), max_size=9)


@st.composite
def versions(draw):
    """Base, ours and theirs."""
    base = draw(LINES)

    def side():
        lines = [*base]
        for _ in range(draw(st.integers(0, 3))):
            at = draw(st.integers(0, len(lines)))
            lines[at : at + draw(st.integers(0, 2))] = draw(LINES)[:3]
        return lines

    return tuple(
        b"\n".join(lines) + draw(st.sampled_from([b"\n", b"\n", b"", b"\0"])) for lines in (base, side(), side())
    )


@settings(max_examples=60)
@given(versions())
def test_git_merge_file_makes_the_same(directory, contents):
    if any(b"\0" in content for content in contents):
        assert merge(*contents) is None  # git merge-file gives up
    else:
        assert by_myers(*contents) == merge_file(directory, *contents)


# --- what a merge may be at all -------------------------------------------------------------------------------------


def explained(base, ours, theirs, result):
    """Whether a result consists of what both sides left, what one side changed, and what both changed alike.

    From the definition: walk through all four at once. Between changes of different sides lies a line that is in all.
    """
    todo = {(0, 0, 0, 0, "")}
    seen = set()
    end = tuple(map(len, (base, ours, theirs, result)))
    while todo:
        state = todo.pop()
        if state in seen:
            continue
        seen.add(state)
        *places, side = state
        if tuple(places) == end:
            return True
        b, o, t, r = (
            lines[at] if at < len(lines) else None
            for lines, at in zip((base, ours, theirs, result), places, strict=True)
        )
        steps = [
            ((1, 1, 1, 1), "", b == o == t == r and b is not None),
            ((1, 0, 1, 0), "ours", b == t and b is not None),  # removed by us
            ((0, 1, 0, 1), "ours", o == r and o is not None),  # added by us
            ((1, 1, 0, 0), "theirs", b == o and b is not None),
            ((0, 0, 1, 1), "theirs", t == r and t is not None),
            ((1, 0, 0, 0), "both", b is not None),
            ((0, 1, 1, 1), "both", o == t == r and o is not None),
        ]
        for step, by, possible in steps:
            if possible and by in {"", side or by}:
                todo.add((*(at + n for at, n in zip(places, step, strict=True)), by))
    return False


@given(versions())
def test_a_clean_merge_has_what_the_sides_did_and_nothing_else(contents):
    for merged in _merges(contents, (histogram.differing, myers.differing), None):
        assert explained(*(content.splitlines(keepends=True) for content in (*contents, merged)))
        assert is_clean_merge(*contents, merged)


@given(versions(), versions())
def test_the_order_of_the_sides_does_not_matter(contents, others):
    base, ours, theirs = contents
    for recorded in (*contents, *others, merge(*contents) or b""):
        assert is_clean_merge(base, ours, theirs, recorded) == is_clean_merge(base, theirs, ours, recorded)


def test_what_is_not_explained():
    base, ours, theirs = ([*lines] for lines in ("abcde", "axcde", "abcye"))
    assert explained(base, ours, theirs, [*"axcye"])
    for wrong in ("axcyez", "axcde", "abcye", "abcde", "xacye", "axye", "axcy", "aycxe"):
        assert not explained(base, ours, theirs, [*wrong])


# --- bounds ---------------------------------------------------------------------------------------------------------


def lines_of(values):
    return b"".join(b"%s\n" % str(value).encode() for value in values)


def hostile(size):
    """Pairs of files that take time quadratic in their lines, or nearly so, by one algorithm or the other."""
    rng = random.Random(size)
    unit = max(1, size // 64)
    often = [number % unit for number in range(size)]
    shuffled = rng.sample(often, size)
    return {
        "every second line": (
            [f"x{n}" if n % 2 else n for n in range(size)],
            [f"y{n}" if n % 2 else n for n in range(size)],
        ),
        "two lines": (rng.choices("ab", k=size), rng.choices("ab", k=size)),
        "each 64 times": (often, shuffled),
        "in another order": (often, often[::-1]),
        "frequent among others": (
            [0 if n % 3 else f"x{n}" for n in range(size)],
            [0 if n % 4 else f"y{n}" for n in range(size)],
        ),
        "all alike": (["a"] * size, ["a", "b"] * (size // 2)),
        "movable": (["a", "b"] * (size // 2), ["a", "b", "b", "a", "a"] * (size // 5)),
    }


@pytest.mark.parametrize("kind", hostile(10))
def test_the_effort_is_bounded(kind):
    """What is taken beyond the limit is no more than a step that is counted in advance: linear in the lines."""
    size = 4000
    old, new = map(lines_of, hostile(size)[kind])
    effort = Effort(200_000)
    assert not is_clean_merge(old, new, b"z\n" + old, b"", effort)
    assert merge(old, new, b"z\n" + old, effort) is None or effort.left >= 0
    assert effort.left > -20 * size


def test_enough_effort_and_too_little():
    old, new = map(lines_of, hostile(60)["every second line"])
    theirs = old + b"z\n0\n"
    result = new + b"z\n0\n"
    old, theirs, new, result = (content + b"end\n" for content in (old, theirs, new, result))
    effort = Effort(LIMITS.merge_file_steps)
    merged = merge(old, new, old + b"z\n", effort)
    assert merged == new + b"z\n"
    needed = LIMITS.merge_file_steps - effort.left
    assert merge(old, new, old + b"z\n", Effort(needed)) == merged
    too_little = Effort(needed - 1)
    assert merge(old, new, old + b"z\n", too_little) is None
    assert too_little.left < 0


def test_where_one_algorithm_gives_up_the_other_is_asked():
    """More than 256 edits from either end are not followed by Myers's algorithm."""
    old, new = (lines_of([*(f"{side}{n}" for n in range(600) for _ in "ab"), "end"]) for side in "xy")
    assert by_myers(b"a\n" * 600 + old, b"a\n" * 600 + new, b"a\n" * 600 + old + b"z\n") is not None
    rng = random.Random(1)
    old, new = (lines_of(rng.choices("ab", k=2000)) for _ in range(2))
    assert by_myers(old, new, b"z\n" + old) is None
    assert merge(old, new, b"z\n" + old) is None


def test_a_file_of_too_many_lines_is_not_merged(monkeypatch):
    class Small:
        merge_lines = 4
        merge_file_steps = 10**6

    monkeypatch.setattr("gitverify.trees.textmerge.LIMITS", Small)
    assert merge(b"a\nb\nc\n", b"x\nb\nc\n", b"a\nb\nc") == b"x\nb\nc"
    assert merge(b"a\nb\nc\n", b"x\na\nb\nc\n", b"a\nb\nc") is None
