# What the recipes share, and source: shells in a tmux server of their own, and a balancer that gives them
# tasks. Both end with the recipe. Yours may stand in your own tmux server, be agents, or be units of a
# cc-guardian; then only the [[worker]] tables are other.
#
# Needs cc-balancer and tmux on the PATH, and CC_STATE: a directory that the recipe may fill.

set -euo pipefail
: "${CC_STATE:?name a directory that the recipe may fill}"
mkdir -p "$CC_STATE"
chmod 700 "$CC_STATE"
CC_STATE=$(cd "$CC_STATE" && pwd)
unset TMUX TMUX_PANE
# So that no two recipes meet, and paths of sockets are short.
export XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-$CC_STATE}
tmux_socket=$CC_STATE/tmux.sock
serving=

balancer() {
    cc-balancer "$1" --state "$CC_STATE" "${@:2}"
}

# open_shells SESSION...: a shell in each.
open_shells() {
    local session
    for session; do
        tmux -S "$tmux_socket" -f /dev/null new-session -d -s "$session" -x 120 -y 30 'exec bash --norc --noprofile'
    done
}

# pane_of SESSION: its pane, such as %0.
pane_of() {
    tmux -S "$tmux_socket" display-message -p -t "=$1:" '#{pane_id}'
}

# serve: a balancer for the shells whose sessions are called work-something.
serve() {
    cat >"$CC_STATE/balancer.toml" <<TOML
version = 1

[[worker]]
socket = "$tmux_socket"
session = "work-*"
profile = "shell"
labels = { role = "ci" }
TOML
    # By itself, not by the function: what $! names is to be ended.
    cc-balancer serve --state "$CC_STATE" -c "$CC_STATE/balancer.toml" >"$CC_STATE/serve.log" 2>&1 &
    serving=$!
    local tries
    for ((tries = 0; tries < 300; tries++)); do
        if cc-balancer worker ls --state "$CC_STATE" >/dev/null 2>&1; then
            return
        fi
        if ! kill -0 "$serving" 2>/dev/null; then
            break
        fi
        sleep 0.1
    done
    echo "the balancer is not up:" >&2
    cat "$CC_STATE/serve.log" >&2
    exit 1
}

# expect WHAT FOUND WANTED: ends the recipe where they differ.
expect() {
    if [[ $2 != "$3" ]]; then
        printf 'expected %s to be %q, and it is %q\n' "$1" "$3" "$2" >&2
        exit 1
    fi
}

clean_up() {
    if [[ -n $serving ]]; then
        kill "$serving" 2>/dev/null || true
        wait "$serving" 2>/dev/null || true
    fi
    tmux -S "$tmux_socket" kill-server 2>/dev/null || true
}
trap clean_up EXIT
