#!/usr/bin/env bash
# Several workers side by side, and a coordinator that divides the work and puts the parts together. No more
# than two of the group are under way at once, and what comes last waits for all of them.

source "$(dirname "${BASH_SOURCE[0]}")/workshop.sh"
open_shells work-1 work-2 work-3
serve
cc-balancer queue set-parallel --state "$CC_STATE" parts 2

after=()
for part in 1 2 3 4 5 6; do
    id=$(balancer add -p --group parts -l role=ci "echo part $part >'$CC_STATE/part-$part'")
    after+=(--after "$id")
done
# A part that fails makes the last one a dead letter: nothing is put together of what is not there.
last=$(balancer add -p "${after[@]}" "cat '$CC_STATE'/part-? >'$CC_STATE/whole'")

balancer wait "$last" --timeout 60s
expect "the whole" "$(wc -l <"$CC_STATE/whole" | tr -d ' ')" 6
