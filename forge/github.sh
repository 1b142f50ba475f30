#!/bin/sh
# What action.yml runs: asks gitverify about whatever the workflow was started by. See docs/ci.md.
#
# From the runner: GITHUB_EVENT_NAME, GITHUB_BASE_REF, GITHUB_REF, GITHUB_SHA. From action.yml, out of the event:
# PULL_NUMBER, PULL_HEAD, GROUP_BASE, GROUP_HEAD, PUSH_AFTER; out of its inputs: GITVERIFY_*.
set -eu

HOW_TO_CLONE='give actions/checkout fetch-depth: 0, and leave its persist-credentials on for a private repository'
# shellcheck disable=SC2016  # GitHub expands it, in a workflow
HOW_TO_INTRODUCE='Set the variable GITVERIFY_INTRODUCTION of the repository or the organisation, and hand it over with
 "introduction: ${{ vars.GITVERIFY_INTRODUCTION }}". GitHub gives no variables to runs of pull_request for forks:
 docs/ci.md says what to use for them.'

stop() { # STATUS MESSAGE
    printf '::error title=gitverify::%s\n' "$(printf '%s' "$2" | tr '\n' ' ' | sed 's/%/%25/g')"
    exit "$1"
}

# shellcheck source=forge/lib.sh
. "$(dirname "$0")/lib.sh"

# The commits of a pull request are in the repository that it is for, also where it comes from a fork.
find_head() {
    case ${PULL_NUMBER:-} in
    '' | *[!0-9]*) stop 2 "the forge gave no number of a pull request" ;;
    esac
    if ! has_commit "$PULL_HEAD" && may_fetch; then
        fetch "+refs/pull/$PULL_NUMBER/head:refs/gitverify/head" ||
            stop 3 "the pull request could not be fetched, for want of network or credentials; $HOW_TO_CLONE"
    fi
    has_commit "$PULL_HEAD" || stop 3 "the commit that this run is for is not in the clone: the pull request has moved \
on, and has another run; or fetching is switched off. In that case $HOW_TO_CLONE"
}

pull_request() {
    need_id PULL_HEAD "${PULL_HEAD:-}"
    [ -n "${GITHUB_BASE_REF:-}" ] || stop 2 "the forge named no branch to merge into"
    find_head
    find_target "$GITHUB_BASE_REF"
    set -f
    # shellcheck disable=SC2086  # a list of words
    set -- ${GITVERIFY_METHODS:-}
    set +f
    check "$base" "$PULL_HEAD" "$@"
}

# GitHub has made the very commit that is to become the branch's tip.
merge_group() {
    need_commit GROUP_BASE "${GROUP_BASE:-}"
    need_commit GROUP_HEAD "${GROUP_HEAD:-}"
    check "$GROUP_BASE" "$GROUP_HEAD" branch
}

push() {
    need_id PUSH_AFTER "${PUSH_AFTER:-}"
    if is_zeros "$PUSH_AFTER"; then
        say "a branch or a tag was deleted: there is nothing to verify"
        exit 0
    fi
    need_commit PUSH_AFTER "$PUSH_AFTER"
    case ${GITHUB_REF:-} in
    refs/tags/*) verify_tag "${GITHUB_REF#refs/tags/}" "$PUSH_AFTER" ;;
    *) verify "$PUSH_AFTER" ;;
    esac
}

need_settings
case ${GITHUB_EVENT_NAME:-} in
pull_request | pull_request_target) pull_request ;;
merge_group) merge_group ;;
push) push ;;
schedule | workflow_dispatch)
    need_commit GITHUB_SHA "${GITHUB_SHA:-}"
    verify "$GITHUB_SHA"
    ;;
*) stop 2 "runs for this event say nothing about commits; use pull_request_target, merge_group or push" ;;
esac
