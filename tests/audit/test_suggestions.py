"""Which prefixes are suggested: the ones that let most pass, for what is given up."""

from hypothesis import given
from hypothesis import strategies as st

from gitverify.audit.suggestions import LEAST, MOST, Files, suggest

TREE = [b"a/1", b"a/2", b"b/c/1", b"b/c/2", b"b/d/1", b"e", b"src/1", b"src/2", b"src/3", b"src/4"]
FILES = Files(TREE)


def needs(*paths):
    return (frozenset(paths),)


def prefixes(blocked, **more):
    return [suggestion.prefix for suggestion in suggest(blocked, FILES, (0, sum(blocked.values())), **more)]


def test_nothing_is_blocked():
    assert suggest({}, FILES, (3, 3)) == []


def test_files_are_counted_below_directories():
    assert FILES.total == 10
    assert [FILES.below(prefix) for prefix in (b"b/", b"b/c/", b"e", b"b", b"nowhere/")] == [3, 2, 1, 0, 0]


def test_numbers_add_up_in_the_order_of_what_is_gained():
    first, second = suggest(
        {needs(b"a/1"): 2, needs(b"b/c/1", b"b/c/2"): 5, needs(b"a/1", b"b/c/1"): 4}, FILES, (3, 20)
    )
    assert (first.prefix, first.gained, first.authentic, first.files) == (b"b/c/", 5, 8, 2)
    assert (second.prefix, second.gained, second.authentic, second.files) == (b"a/1", 6, 14, 1)


def test_a_file_alone_is_less_to_give_up_than_its_folder():
    assert prefixes({needs(b"a/1"): 2}) == [b"a/1"]


def test_a_large_folder_has_to_let_more_pass():
    assert prefixes({needs(b"src/1"): 9, needs(b"src/2"): 1}) == [b"src/1", b"src/2"]
    assert prefixes({needs(b"src/1"): 9, needs(b"src/2"): 9}) == [b"src/"]


def test_what_is_no_longer_there_is_no_help():
    assert prefixes({needs(b"gone/1"): 9}) == []
    assert prefixes({needs(b"a/gone"): 9}) == [b"a/"]


def test_the_root_can_not_be_given_up():
    assert prefixes({needs(b"a/1", b"e"): 9}) == []


def test_one_of_several_ways_is_enough():
    assert prefixes({(frozenset({b"a/1", b"e"}), frozenset({b"b/c/1"})): 9}) == [b"b/c/1"]


def test_a_prefix_takes_the_place_of_those_below_it():
    blocked = {needs(b"b/c/1"): 9, needs(b"b/c/1", b"b/d/1"): 8, needs(b"b/c/2", b"b/d/1"): 8}
    assert prefixes(blocked) == [b"b/"]


def test_what_helps_hardly_anybody_is_not_suggested():
    assert prefixes({needs(b"a/1"): LEAST - 1, needs(b"b/c/1"): 1}) == [b"a/1", b"b/c/1"]
    assert prefixes({needs(b"a/1"): LEAST, needs(b"b/c/1"): 1}) == [b"a/1"]


def test_there_is_an_end():
    tree = [b"%d/x" % number for number in range(50)]
    blocked = {needs(path): 1 for path in tree}
    assert len(suggest(blocked, Files(tree), (0, 50))) == MOST


def test_protected_paths_are_not_touched():
    blocked = {needs(b"b/c/1", b"b/c/2"): 5, needs(b"b/d/1"): 3, needs(b"e"): 2}
    assert prefixes(blocked, protected=[b"b/"]) == [b"e"]
    assert prefixes(blocked, protected=[b"b/c/1"]) == [b"b/d/", b"e"]
    assert prefixes(blocked, protected=[b"b/c/nowhere", b"e"]) == [b"b/d/"]


@given(
    st.dictionaries(
        st.lists(st.frozensets(st.sampled_from(TREE), min_size=1, max_size=3), min_size=1, max_size=2).map(tuple),
        st.integers(1, 9),
        max_size=6,
    ),
)
def test_what_is_said_to_pass_does(blocked):
    found = suggest(blocked, FILES, (0, 1))
    chosen = [suggestion.prefix for suggestion in found]

    def passing(prefixes):
        def covered(path):
            return any(path == p or (p.endswith(b"/") and path.startswith(p)) for p in prefixes)

        return sum(count for ways, count in blocked.items() if any(all(map(covered, paths)) for paths in ways))

    assert passing(chosen) == (found[-1].authentic if found else 0)
    for prefix in chosen:  # none of them is superfluous
        assert passing([other for other in chosen if other != prefix]) < passing(chosen)
