#!/bin/sh
# What the job of forge/gitlab.yml runs: asks gitverify about whatever the pipeline was started by. See docs/ci.md.
#
# From the runner: CI_PIPELINE_SOURCE, CI_COMMIT_SHA, CI_MERGE_REQUEST_*. From the job or the project: GITVERIFY_*.
set -eu

HOW_TO_CLONE='set GIT_DEPTH: "0" for the job'
HOW_TO_INTRODUCE='Set the variable GITVERIFY_INTRODUCTION of the project or the group, in Settings > CI/CD > Variables;
 not as a protected one, which pipelines of merge requests are not given.'

stop() { # STATUS MESSAGE
    printf 'gitverify: %s\n' "$(printf '%s' "$2" | tr '\n' ' ')" >&2
    exit "$1"
}

# shellcheck source=forge/lib.sh
. "$(dirname "$0")/lib.sh"

# In a pipeline for merged results, and in a merge train, GitLab has made a commit of both branches already. It is not
# the one that gets in, so the branch itself is looked at.
merge_request() {
    [ "${CI_MERGE_REQUEST_PROJECT_PATH:-}" = "${CI_PROJECT_PATH:-}" ] ||
        stop 3 "this pipeline runs in the fork, with its settings and its branches: run it in the project that the \
merge request is for"
    head=${CI_MERGE_REQUEST_SOURCE_BRANCH_SHA:-$CI_COMMIT_SHA}
    need_commit CI_MERGE_REQUEST_SOURCE_BRANCH_SHA "$head"
    [ -n "${CI_MERGE_REQUEST_TARGET_BRANCH_NAME:-}" ] || stop 2 "the forge named no branch to merge into"
    find_target "$CI_MERGE_REQUEST_TARGET_BRANCH_NAME"
    set -f
    # shellcheck disable=SC2086  # a list of words
    set -- ${GITVERIFY_METHODS:-}
    set +f
    check "$base" "$head" "$@"
}

: "${GITVERIFY_REPORT_FORMAT:=gitlab}"
need_settings
need_id CI_COMMIT_SHA "${CI_COMMIT_SHA:-}"
if is_zeros "$CI_COMMIT_SHA"; then
    say "a branch or a tag was deleted: there is nothing to verify"
    exit 0
fi
# A child of a merge request's pipeline is about that merge request, too.
case ${CI_PIPELINE_SOURCE:-}:${CI_MERGE_REQUEST_IID:-} in
merge_request_event:* | parent_pipeline:?*) merge_request ;;
*)
    need_commit CI_COMMIT_SHA "$CI_COMMIT_SHA"
    [ -z "${CI_COMMIT_TAG:-}" ] || verify_tag "$CI_COMMIT_TAG" "$CI_COMMIT_SHA"
    verify "$CI_COMMIT_SHA"
    ;;
esac
