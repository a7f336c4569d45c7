#!/usr/bin/env bash
# A step of a CI job: a prompt, a limit of time, a check that decides, a result and an exit code. When the job
# is cancelled (SIGTERM) the task is too; a job that is run again with the same key waits for the same task.
#
#   - run: >
#       cc-balancer run -f ci/prompt.md -l role=ci --timeout 45m --worker-timeout 5m
#       --key "$GITHUB_RUN_ID-$GITHUB_RUN_ATTEMPT" --json result.json --junit junit.xml
#       --summary "$GITHUB_STEP_SUMMARY" --exit-code-from check --check ./ci/check.sh

source "$(dirname "${BASH_SOURCE[0]}")/workshop.sh"
open_shells work-1
serve

step() {
    balancer run -l role=ci --timeout 60s --worker-timeout 30s \
        --json "$CC_STATE/result.json" --junit "$CC_STATE/junit.xml" --summary "$CC_STATE/summary.md" \
        --exit-code-from check --cwd "$CC_STATE" "$@"
}

printf 'echo built >product\n' >"$CC_STATE/prompt.sh"
step -f "$CC_STATE/prompt.sh" --key run-1-attempt-1 --check test -s product
grep -q '"state":"done"' "$CC_STATE/result.json"
grep -q 'failures="0"' "$CC_STATE/junit.xml"
grep -q 'Task .*: done' "$CC_STATE/summary.md"

# Who says that it is done, and is not, has failed: with the exit code of the check.
code=0
step 'echo all done' --key run-1-attempt-2 --check sh -c 'exit 3' || code=$?
expect "the exit code" "$code" 3
grep -q '"state":"failed"' "$CC_STATE/result.json"

# Nobody can do that: it is cancelled in time, and the exit code says that later may be better.
code=0
balancer run -l role=nobody --worker-timeout 200ms 'echo never' || code=$?
expect "the exit code" "$code" 75
