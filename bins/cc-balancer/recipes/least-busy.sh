#!/usr/bin/env bash
# Each task to whoever is free first. Nothing is dealt out beforehand, and no screen is counted: tasks stay in
# one queue, and a worker gets the next one when it is idle. So one long task keeps nobody waiting.

source "$(dirname "${BASH_SOURCE[0]}")/workshop.sh"
open_shells work-1 work-2 work-3
serve

ids=("$(balancer add -p "sleep 2; echo \$TMUX_PANE >>'$CC_STATE/by'")")
for task in 1 2 3 4 5 6 7 8; do
    ids+=("$(balancer add -p "echo \$TMUX_PANE >>'$CC_STATE/by'")")
done

# Why does one wait, and who could have it?
balancer why "${ids[8]}"
balancer wait "${ids[@]}" --timeout 120s
echo "tasks by worker:"
sort "$CC_STATE/by" | uniq -c
expect "the number of tasks" "$(wc -l <"$CC_STATE/by" | tr -d ' ')" 9
