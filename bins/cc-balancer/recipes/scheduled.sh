#!/usr/bin/env bash
# A task at times of the day: cron, or a systemd timer, adds it, and that is all it does. The key is that of
# the day, so that a job which cron starts twice, or a clock that is set back, adds it once. It may be added
# while everybody is busy or nobody runs: it is done later, and never typed into something else.
#
#   0 7 * * Mon-Fri  cc-balancer add -f ~/daily.md -l role=coder --key "daily-$(date +\%F)" --timeout 2h

source "$(dirname "${BASH_SOURCE[0]}")/workshop.sh"

daily() {
    balancer add -p --key "daily-2026-11-27" --timeout 2h "echo daily >>'$CC_STATE/log'"
}

first=$(daily)
again=$(daily)
expect "the second task" "$again" "$first"

open_shells work-1
serve
balancer wait "$first" --timeout 60s
expect "the third task" "$(daily)" "$first"
expect "the log" "$(cat "$CC_STATE/log")" daily
