#!/usr/bin/env bash
# The demonstration behind `make run`: a server and the daemon in a throw-away profile, and the count as it runs.
#
# Nothing listens beyond this machine, and nothing is left behind. DEMO_SECONDS=N ends it by itself after N seconds.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
target=${CARGO_TARGET_DIR:-target}
[[ $target == /* ]] || target=$here/$target
bin=$target/debug
email=demo@example.org

say() { printf '%s\n' "$*"; }
die() {
    printf 'demo: %s\n' "$*" >&2
    exit 1
}

for program in blinkd blinkctl cloud-api; do
    [[ -x $bin/$program ]] || die "$bin/$program is not built. Run \`make run\`, which builds it."
done
[[ ${DEMO_SECONDS:-0} =~ ^[0-9]{1,6}$ ]] || die "DEMO_SECONDS is a number of seconds, not '$DEMO_SECONDS'."

# The models stay where they are: they are large, public and the same for every profile.
models=${BLINKD_MODELS_DIR:-${XDG_DATA_HOME:-$HOME/.local/share}/blinkd/models}
# Settings of the person's own profile and server have no place in a demonstration.
unset DATABASE_URL PORT DEMO_MODE
for variable in $(compgen -e | grep -E '^(BLINKD|CLOUD_API)_' || true); do unset "$variable"; done
export BLINKD_MODELS_DIR=$models

profile=$(mktemp -d "${TMPDIR:-/tmp}/waw-demo.XXXXXX")
export HOME=$profile XDG_CONFIG_HOME=$profile/config XDG_DATA_HOME=$profile/data XDG_STATE_HOME=$profile/state
export XDG_CACHE_HOME=$profile/cache XDG_RUNTIME_DIR=$profile/run
# What is thrown away at the end must not be in the desktop's keyring.
export BLINKD_ACCOUNT__KEYRING=off
mkdir -m 700 "$profile"/{config,data,state,cache,run,server}
# The server reads a .env where it stands: it stands where there is none.
cd "$profile"

daemon_pid='' server_pid=''

# Ends a program: asks, waits four seconds, insists.
stop() {
    [[ -n $1 ]] || return 0
    kill -TERM "$1" 2>/dev/null || true
    for _ in {1..80}; do
        kill -0 "$1" 2>/dev/null || break
        sleep 0.05
    done
    kill -KILL "$1" 2>/dev/null || true
    wait "$1" 2>/dev/null || true
}

cleanup() {
    local status=$?
    trap '' INT TERM HUP
    stop "$daemon_pid"
    stop "$server_pid"
    cd /
    rm -rf "$profile"
    exit "$status"
}
trap cleanup EXIT
# Being told to stop is how a demonstration ends well.
finish() {
    printf '\n'
    say 'Stopped. The throw-away profile is removed.'
    exit 0
}
trap finish INT TERM HUP

# The last thing a program said, for when it ended by itself.
last_line() { tail -n 1 "$1" 2>/dev/null || true; }
alive() { kill -0 "$1" 2>/dev/null; }
pause() {
    sleep "$1" &
    wait $! || true
}

# --- the server -------------------------------------------------------------------------------------------------
start_server() {
    : >server/out
    "$bin/cloud-api" serve --listen "$1" >server/out 2>server/err </dev/null &
    server_pid=$!
    for _ in {1..600}; do
        server=$(sed -n 's/^cloud-api listening on //p' server/out)
        [[ -z $server ]] || return 0
        alive "$server_pid" || break
        pause 0.05
    done
    local status=0
    alive "$server_pid" || wait "$server_pid" || status=$?
    return $((status == 0 ? 1 : status))
}

status=0
start_server 127.0.0.1:8080 || status=$?
# 5: the port is somebody else's; then any free one will do.
if ((status == 5)); then
    status=0
    start_server 127.0.0.1:0 || status=$?
fi
((status == 0)) || die "the server did not start: $(last_line server/err)"

# --- what to look at --------------------------------------------------------------------------------------------
source_spec=synthetic
source_text='a face drawn by the program; no camera is opened'
if [[ -t 0 && -t 1 ]] && "$bin/blinkd" cameras --json 2>/dev/null | jq -e 'length > 0' >/dev/null 2>&1; then
    "$bin/blinkctl" consent show --json | jq -r .text
    answer=''
    read -r -p 'Count your blinks with the camera for this demonstration? [y/N] ' answer || true
    if [[ ${answer,,} == y || ${answer,,} == yes ]]; then
        source_spec=camera
        source_text='your camera'
    fi
fi

# --- the daemon and the account ---------------------------------------------------------------------------------
"$bin/blinkd" run --headless --source "$source_spec" >daemon.out 2>daemon.err </dev/null &
daemon_pid=$!
for _ in {1..600}; do
    "$bin/blinkctl" whoami >/dev/null 2>&1 && break
    # 4: it answers, and nobody is signed in yet.
    [[ $? != 4 ]] || break
    alive "$daemon_pid" || die "blinkd did not start: $(last_line daemon.err)"
    pause 0.05
done

# 20 letters and digits that cannot be confused, about 100 bits.
password=$(head -c 1000 /dev/urandom | LC_ALL=C tr -dc 'a-hjkmnp-z2-9')
password=${password:0:20}
account=$("$bin/blinkctl" register --server "$server" --email "$email" --password-stdin --accept-consent --json 2>register.err <<<"$password") ||
    die "the demonstration account could not be made: $(jq -r '.error | "\(.message). \(.fix)"' register.err 2>/dev/null || last_line register.err)"
user_id=$(jq -r .user_id <<<"$account")

# Two hours before now, made up, with a gap in which nobody was seen: the first look shows something.
made_up() {
    jq -n --arg device "$(</proc/sys/kernel/random/uuid)" '
        (now / 60 | floor * 60) as $minute
        | {device_id: $device, buckets: [range(125; 4; -1) | select(. < 60 or . > 82) | {
            id: "00000000-0000-7000-8000-\("000000000000\(.)"[-12:])",
            blink_count: (12 + . * 7 % 6),
            from_timestamp: ($minute - . * 60 | todate),
            to_timestamp: ($minute - . * 60 + 60 | todate),
            observed_ms: (60000 - . * 977 % 9000), mean_fps: 30, quality: "good"}]}'
}
# The bearer goes to curl on stdin: a command line is for everybody to read.
token=''
ask_server() { curl -sS --fail --max-time 5 --config - "${@:2}" "$server$1" <<<"header = \"Authorization: Bearer $token\"" 2>/dev/null; }
sign_in() {
    token=$(jq -n --arg email "$email" --arg password "$password" '{$email, $password}' |
        curl -sS --fail --max-time 10 --header 'Content-Type: application/json' --data @- "$server/api/auth/login" 2>/dev/null | jq -r .access_token) || token=''
}
sign_in
made_up >made-up.json
ask_server /api/blink/sync --user-agent made-up/0 --header 'Content-Type: application/json' --data @made-up.json >/dev/null ||
    die 'the server did not take the history that was made up.'

cat <<END

  Dashboard   $server/
  Sign in     $email
  Password    $password
  Source      $source_text
  Before      the two hours before now are made up; each minute from now on is counted

  Ctrl-C ends it and removes everything.

END

# --- the count --------------------------------------------------------------------------------------------------
# Prints what the server has, each minute once, without what was made up.
told=$(jq -r '[.buckets[].from_timestamp] | join(" ")' made-up.json)
tell_server() {
    local answer
    answer=$(ask_server "/api/user/$user_id/blinks?group=minute&limit=1000") || {
        sign_in
        answer=$(ask_server "/api/user/$user_id/blinks?group=minute&limit=1000") || return 0
    }
    local from count observed
    while IFS=$'\t' read -r from count observed; do
        [[ $told != *"$from"* ]] || continue
        told+=" $from"
        say "$erase  On the server: minute ${from:11:5} UTC, $count blinks in $((observed / 1000)) s observed"
    done < <(jq -r '.items[] | [.from_timestamp, .blink_count, .observed_ms] | @tsv' <<<"$answer")
}

erase='' redraw=false bold='' plain=''
if [[ -t 1 ]]; then
    erase=$'\r\e[K' redraw=true
    [[ -n ${NO_COLOR:-} ]] || bold=$'\e[1;32m' plain=$'\e[0m'
fi
started=$SECONDS acknowledged=null next_line=0
while ((${DEMO_SECONDS:-0} == 0 || SECONDS - started < DEMO_SECONDS)); do
    alive "$server_pid" || die "the server ended: $(last_line server/err)"
    alive "$daemon_pid" || die "blinkd ended: $(last_line daemon.err)"
    if status=$("$bin/blinkctl" status --json 2>/dev/null); then
        line=$(jq -r '"\(.blinks_session) blinks  \(if .rate_per_minute then "\(.rate_per_minute * 10 | round / 10)/min  " else "" end)" +
            "\(.state)  \(.fps * 10 | round / 10) frames/s  CPU \(.cost.cpu_percent | round) %" +
            (if .last_error then "  \(.last_error.message)" else "" end)' <<<"$status")
        if $redraw; then
            line=${line:0:$((${COLUMNS:-$(tput cols 2>/dev/null || echo 100)} - 3))}
            printf '%s  %s%s%s%s' "$erase" "$bold" "${line%% blinks*}" "$plain" "${line#"${line%% blinks*}"}"
        elif ((SECONDS >= next_line)); then
            say "  $line"
            next_line=$((SECONDS + 5))
        fi
        last=$(jq -r .queue.last_success <<<"$status")
        if [[ $last != "$acknowledged" ]]; then
            acknowledged=$last
            tell_server
        fi
    fi
    pause 1
done
printf '%s' "$erase"
say "  Done after ${DEMO_SECONDS} s."
