#!/usr/bin/env bash
# One worker that takes whatever there is, as soon as it is free: no loop, no sleep, nothing typed while it
# is busy. Tasks may be added before, while and after it runs; they are done in order.

source "$(dirname "${BASH_SOURCE[0]}")/workshop.sh"

# Nobody works yet: this is there to stay.
first=$(balancer add -p "echo first >>'$CC_STATE/log'")

open_shells work-1
serve
second=$(balancer add -p "echo second >>'$CC_STATE/log'")
third=$(balancer add -p "echo third >>'$CC_STATE/log'")

balancer wait "$first" "$second" "$third" --timeout 60s
expect "the log" "$(cat "$CC_STATE/log")" $'first\nsecond\nthird'
