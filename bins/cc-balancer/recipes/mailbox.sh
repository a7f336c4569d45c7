#!/usr/bin/env bash
# Messages from one session to another. They are kept until the other can take them, arrive in the order in
# which they were sent, and each at least once, always with the same id. `send` needs nobody to run.
#
# Here the recipient is a shell, to which a message is a command. To an agent it is text, of which it is said
# from whom it is: cc-balancer send --to coder@1 'the schema has changed: see docs/schema.md'

source "$(dirname "${BASH_SOURCE[0]}")/workshop.sh"
open_shells work-alice work-bob
bob=$(pane_of work-bob)

ids=()
for word in one two three; do
    ids+=("$(balancer send --to "$bob" --submitter alice -p "echo $word from alice >>'$CC_STATE/inbox'")")
done
# Sent again after a crash of ours, it is the same message.
key=alice-4
ids+=("$(balancer send --to "$bob" --key "$key" -p "echo four from alice >>'$CC_STATE/inbox'")")
expect "the fourth" "$(balancer send --to "$bob" --key "$key" -p again)" "${ids[3]}"

serve
balancer wait "${ids[@]}" --timeout 60s

# A message is done when it has arrived; what the shell makes of it comes a moment later.
for ((tries = 0; tries < 300; tries++)); do
    lines=$(cat "$CC_STATE/inbox" 2>/dev/null | wc -l | tr -d ' ')
    if [[ $lines -ge 4 ]]; then
        break
    fi
    sleep 0.1
done
expect "the inbox" "$(cut -d' ' -f1 "$CC_STATE/inbox" | tr '\n' ' ')" "one two three four "
