#!/usr/bin/env bash
# Installs what the tests talk to that is not ours into FOLDER. Usage: install.sh FOLDER
#
# A stamp holds the hash of what was asked for: where it fits, nothing is done. README.md says what is there and how to
# start it.
set -euo pipefail

tools=$(cd "${BASH_SOURCE[0]%/*}" && pwd)
peers=${1:?usage: install.sh FOLDER}

say() { printf 'bootstrap: %s\n' "$*"; }
die() {
    printf 'bootstrap: %s\n' "$*" >&2
    exit 1
}

asked=("$tools/install.sh" "$tools/requirements.txt" "$tools/package.json" "$tools/package-lock.json")
wanted=$(cat "${asked[@]}" | sha256sum)
[[ -f $peers/stamp && $(<"$peers/stamp") == "$wanted" ]] && exit 0

# The system's Python, not another one on PATH: Debian's dbus module is built for it.
python=/usr/bin/python3
[[ -x $python ]] || die "there is no $python. Install the package python3, then run this again."

say "installing what the tests talk to (an S3 server, an OpenID provider, schemathesis, dbusmock, the MCP inspector), once"
rm -rf "$peers"
mkdir -p "$peers"
log=$peers/install.log
# Runs a step and shows its end when it fails.
step() {
    "$@" >>"$log" 2>&1 && return
    tail -n 20 "$log" >&2
    die "this failed: $*. Mend what stands above, then run this again."
}
pip() { "$peers/venv/bin/python" -m pip --disable-pip-version-check --no-input --quiet "$@"; }

step "$python" -m venv --system-site-packages "$peers/venv"
step pip install --no-deps --ignore-installed --requirement "$tools/requirements.txt"

# The provider and the inspector want Node.js as new as the dashboard's.
node=$("$tools/../../packaging/node.sh")
mkdir "$peers/bin"
ln -s "$node/node" "$peers/bin/node"
cp "$tools/package.json" "$tools/package-lock.json" "$peers/"
step env PATH="$node:$PATH" npm ci --prefix "$peers" --ignore-scripts --no-audit --no-fund --loglevel=error

rm "$log"
printf '%s\n' "$wanted" >"$peers/stamp"
