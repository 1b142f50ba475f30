# shellcheck shell=sh
# What the scripts for all forges share. They define stop STATUS MESSAGE, which ends the run in the forge's way.
#
# Nothing here checks out, runs or reads a file of what is to be judged: git fetches objects, gitverify reads them.
# Whatever comes from outside is a variable in quotes, and an id is looked at before it is used.

# Git may ask nobody for a password, and runs no hook and no housekeeping of the checkout's.
export GIT_TERMINAL_PROMPT=0
git() {
    command git -c core.hooksPath=/dev/null -c gc.auto=0 -c maintenance.auto=false "$@"
}

# -I: no module is taken from the directory that the run is in, nor from one that PYTHONPATH names.
gitverify() {
    "${GITVERIFY_PYTHON:-python3}" -I -m gitverify "$@"
}

say() {
    printf 'gitverify: %s\n' "$1"
}

is_id() {
    case $1 in
    '' | *[!0-9a-f]*) return 1 ;;
    esac
    [ "${#1}" -eq 40 ]
}

is_zeros() {
    is_id "$1" && [ -z "$(printf '%s' "$1" | tr -d 0)" ]
}

need_id() { # NAME VALUE
    is_id "$2" || stop 2 "the forge gave no commit id as $1"
}

has_commit() {
    git cat-file -e "$1^{commit}" 2>/dev/null
}

need_commit() { # NAME VALUE
    need_id "$1" "$2"
    ! has_commit "$2" || return 0
    may_fetch || stop 3 "$2 ($1) is not in the clone, and fetching is switched off; $HOW_TO_CLONE"
    fetch "$2" || stop 3 "$2 ($1) could not be fetched, for want of network or credentials; $HOW_TO_CLONE"
}

may_fetch() {
    [ "${GITVERIFY_FETCH:-true}" = true ]
}

is_shallow() {
    [ "$(git rev-parse --is-shallow-repository)" = true ]
}

fetch() { # REFSPEC...
    git fetch --quiet --no-tags --no-recurse-submodules --no-write-fetch-head origin "$@"
}

need_settings() {
    git rev-parse --git-dir >/dev/null || stop 2 "this is no git repository; ${HOW_TO_CLONE:?}"
    [ -n "${GITVERIFY_INTRODUCTION:-}" ] || stop 4 "no introduction was given. ${HOW_TO_INTRODUCE:?}"
    # What is set, but to nothing, is not set.
    [ -n "${GITVERIFY_SIGNER:-}" ] || unset GITVERIFY_SIGNER
}

# Verifying takes all of the history since the introduction.
need_history() {
    is_shallow || return 0
    may_fetch || stop 3 "the clone is shallow, and fetching is switched off; ${HOW_TO_CLONE:?}"
    say "the clone is shallow: fetching the rest"
    fetch --unshallow ||
        stop 3 "the clone is shallow and the rest could not be fetched, for want of network or credentials; $HOW_TO_CLONE"
}

# With BASE given as authentic it takes what leads to where BASE and HEAD parted, and the introduction.
need_range() { # BASE HEAD
    is_shallow || return 0
    if ! git merge-base "$1" "$2" >/dev/null; then
        need_history
    elif is_id "$GITVERIFY_INTRODUCTION" && ! has_commit "$GITVERIFY_INTRODUCTION" && may_fetch; then
        fetch --depth=1 "$GITVERIFY_INTRODUCTION" || say "the introduction could not be fetched by itself"
    fi
}

# Put the tip of the branch that is to be merged into in $base: as it is now, since a key that was dropped meanwhile
# must not count.
find_target() { # BRANCH
    if may_fetch; then
        base=refs/gitverify/base
        fetch "+refs/heads/$1:$base" ||
            stop 3 "the branch to merge into could not be fetched, for want of network or credentials; $HOW_TO_CLONE"
    else
        base=refs/remotes/origin/$1
    fi
    base=$(git rev-parse --quiet --verify --end-of-options "$base^{commit}") ||
        stop 3 "the branch to merge into is not in the clone, and fetching is switched off; $HOW_TO_CLONE"
}

# Is HEAD authentic on top of BASE?
check() { # BASE HEAD [METHOD...]
    range=$1..$2
    if [ "${GITVERIFY_BASE_AUTHENTIC:-false}" = true ]; then
        need_range "$1" "$2"
    else
        need_history
    fi
    shift 2
    # Words become options, from the last to the first.
    for method; do
        set -- "$@" --method "$method"
        shift
    done
    [ "${GITVERIFY_BASE_AUTHENTIC:-false}" != true ] || set -- "$@" --base-authentic
    report check "$range" --no-state "$@"
}

# Is this commit authentic?
verify() { # COMMIT
    need_history
    revision=$1
    set -f # a word is a word, not a pattern of files
    set --
    for commit in ${GITVERIFY_CONTAINS:-}; do
        set -- "$@" --contains "$commit"
    done
    set +f
    report verify "$revision" --no-state "$@"
}

names_the_same() { # ID ID
    [ "$(git rev-parse --quiet --verify "$1^{commit}")" = "$(git rev-parse --quiet --verify "$2^{commit}")" ]
}

# Is what a tag names authentic; and, where tags are to be signed, is the tag? Runners may have put a mere commit in its
# place, so it is fetched anew.
verify_tag() { # NAME COMMIT
    case ${GITVERIFY_TAGS:-commit} in
    commit) verify "$2" ;;
    signed) ;;
    *) stop 2 "tags is either commit or signed" ;;
    esac
    need_history
    tag=refs/tags/$1
    if may_fetch; then
        fetch "+$tag:refs/gitverify/tag" || stop 3 "the tag could not be fetched; $HOW_TO_CLONE"
        tag=refs/gitverify/tag
    fi
    tag=$(git rev-parse --quiet --verify --end-of-options "$tag") || stop 3 "the tag is not in the clone; $HOW_TO_CLONE"
    # What this run has checked out is what the tag named then: a true tag that took its place says nothing about it.
    names_the_same "$tag" "$2" || stop 3 "the tag has moved since this run was started: it names another commit than $2"
    report verify-tag "$tag" --as "$1" --no-state
}

# Whether a directory that is named from here lies here, links and all; one that is named from the root is the user's.
stays_here() { # DIRECTORY
    case $1 in
    /*) return 0 ;;
    esac
    here=$(pwd -P)
    there=$(CDPATH='' cd -P -- "$1" 2>/dev/null && pwd -P) || return 0 # nothing can be written there
    case $there/ in
    "$here"/*) ;;
    *) return 1 ;;
    esac
}

# Run gitverify, and once more for the report that goes to a file. The first run's status is the answer.
report() { # ARGUMENT...
    status=0
    gitverify "$@" --format "${GITVERIFY_FORMAT:-human}" || status=$?
    if [ -n "${GITVERIFY_REPORT:-}" ]; then
        # In a checkout of what is to be judged a link could lead anywhere.
        [ ! -L "$GITVERIFY_REPORT" ] || stop 2 "the report's file is a symbolic link"
        stays_here "$(dirname -- "$GITVERIFY_REPORT")" ||
            stop 2 "the report's directory is a symbolic link that leads out of the checkout"
        gitverify "$@" --format "${GITVERIFY_REPORT_FORMAT:?}" >"$GITVERIFY_REPORT" || :
    fi
    exit "$status"
}
