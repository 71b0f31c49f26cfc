#!/usr/bin/env bash
# Brings a fresh Debian or Ubuntu machine with Rust to where this tree builds.
# Usage: bootstrap.sh install|run|test|lint|fuzz|bench|ha|soak|package
#
# It installs what is missing and nothing else, says what it does, and asks for root only when something is missing.
set -euo pipefail

level=${1:-run}

say() { printf 'bootstrap: %s\n' "$*"; }
die() {
    printf 'bootstrap: %s\n' "$*" >&2
    exit 1
}

# What the programs are built from and run on; curl and jq are the demonstration's.
packages=(
    build-essential pkg-config cmake clang libclang-dev
    libopencv-dev libdlib-dev libdlib-data libopenblas-dev liblapack-dev libpq-dev
    gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-pipewire
    python3-pip ca-certificates curl jq
)
cargo_tools=()
needs_browser=false
case $level in
install | run) ;;
test)
    packages+=(postgresql python3-venv python3-dbus python3-gi dbus)
    # A desktop without a screen: X server, window manager, panel with a tray, notifications, and hands to click with.
    packages+=(xvfb xfwm4 xfce4-panel xfconf dunst xdotool imagemagick libglib2.0-bin adwaita-icon-theme procps xterm)
    # Footage stored in other ways; what programs write to disk.
    packages+=(ffmpeg strace)
    # Calls to keep quiet in: sound and pictures recorded through PipeWire.
    packages+=(pipewire pipewire-bin wireplumber gstreamer1.0-tools)
    needs_browser=true
    cargo_tools+=(cargo-nextest)
    ;;
lint) cargo_tools+=(cargo-deny) ;;
fuzz) cargo_tools+=(cargo-bolero) ;;
bench) packages+=(ffmpeg postgresql) ;;
# Patroni speaks TLS to etcd only with python3-idna.
ha) packages+=(postgresql patroni python3-idna etcd-server haproxy pgbouncer openssl) ;;
# Clocks of single programs are set with libfaketime.
soak) packages+=(postgresql faketime) ;;
package)
    # What RPM packages require is found with rpm's own script; the rest of it is not used.
    packages+=(git dpkg-dev xz-utils rpm help2man)
    cargo_tools+=(cargo-deb cargo-generate-rpm cargo-cyclonedx)
    ;;
*)
    printf 'usage: %s install|run|test|lint|fuzz|bench|ha|soak|package\n' "$0" >&2
    exit 2
    ;;
esac

[[ $(uname -s) == Linux ]] || die "this script knows Debian and Ubuntu; on $(uname -s) see CONTRIBUTING.md for what to install."
command -v cargo >/dev/null || die "there is no cargo. Install Rust from https://rustup.rs, open a new shell, then run this again."

missing=()
if command -v dpkg-query >/dev/null; then
    for package in "${packages[@]}"; do
        [[ $(dpkg-query --show --showformat='${db:Status-Abbrev}' "$package" 2>/dev/null) == ii* ]] || missing+=("$package")
    done
else
    die "there is no dpkg here. Install what these Debian packages hold, then use cargo directly (see CONTRIBUTING.md): ${packages[*]}"
fi

# The dashboard's tests open it in a browser. Debian has a package of one; Ubuntu has none, and apt-get installs nothing at
# all once it is asked for a name that it does not know.
if command -v chromium chromium-browser google-chrome "${CHROMIUM:-chromium}" >/dev/null; then
    needs_browser=false
fi
no_browser="the dashboard's tests need a browser, and the system's packages hold none. Install Chromium or Google Chrome, \
or set CHROMIUM=FILE to one, then run this again."
take_browser_if_packaged() {
    if $needs_browser && [[ $(LC_ALL=C apt-cache policy chromium 2>/dev/null) == *"Candidate: "[^\(]* ]]; then
        missing+=(chromium)
        needs_browser=false
    fi
}
take_browser_if_packaged

if ((${#missing[@]} > 0)) || $needs_browser; then
    command -v apt-get >/dev/null || die "there is no apt-get here. Install these packages, then run this again: ${missing[*]}"
    root=()
    if [[ $(id -u) != 0 ]]; then
        ((${#missing[@]} > 0)) || die "$no_browser"
        by_hand="As root, run: apt-get install --no-install-recommends ${missing[*]}"
        command -v sudo >/dev/null || die "installing needs root, and there is no sudo. $by_hand"
        [[ -t 0 ]] || sudo -n true 2>/dev/null || die "installing needs root, and there is no terminal to ask for a password on. $by_hand"
        root=(sudo)
    fi
    log=$(mktemp)
    fetching=''
    trap 'rm -f "$log"; [[ -z $fetching ]] || kill "$fetching" 2>/dev/null || true' EXIT
    # A list that cannot be refreshed may still name everything that is needed.
    "${root[@]}" apt-get update -qq >"$log" 2>&1 || say "the package list could not be refreshed; trying with the one at hand"
    take_browser_if_packaged
    ((${#missing[@]} == 0)) || say "installing from the system's packages: ${missing[*]}"
    # The crates come meanwhile; what fails here, the build says.
    cargo fetch --locked --quiet --manifest-path "${BASH_SOURCE[0]%/*}/../Cargo.toml" >/dev/null 2>&1 &
    fetching=$!
    if ((${#missing[@]} > 0)) && ! "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        die "apt-get failed as shown above. Mend that, then run this again."
    fi
    wait "$fetching" || true
    fetching=''
    if $needs_browser; then
        die "$no_browser"
    fi
fi

if [[ $level == lint ]]; then
    for component in fmt clippy; do
        cargo "$component" --version >/dev/null 2>&1 ||
            die "cargo $component is missing. Run: rustup component add $([[ $component == fmt ]] && echo rustfmt || echo clippy)"
    done
fi

root_folder=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd)

# The dashboard is built with Node.js; the daemon and the measurements have none.
if [[ $level != install && $level != bench && $level != ha && $level != soak ]]; then
    "$root_folder/packaging/node.sh" >/dev/null
fi

for tool in "${cargo_tools[@]}"; do
    command -v "$tool" >/dev/null && continue
    say "building $tool, once"
    features=()
    # Its default is able to download newer versions of itself.
    [[ $tool != cargo-nextest ]] || features=(--no-default-features --features default-no-update)
    # Unoptimised: optimising takes longer than what the tool then does.
    CARGO_PROFILE_DEV_DEBUG=none cargo install --locked --debug --quiet "${features[@]}" "$tool" ||
        die "$tool could not be built. Install it, then run this again."
done

# The peers of the tests, beside what cargo builds; who has them elsewhere says so with WAW_TEST_PEERS.
if [[ $level == test && -z ${WAW_TEST_PEERS:-} ]]; then
    target=${CARGO_TARGET_DIR:-$root_folder/target}
    "$root_folder/tests/tools/install.sh" "$target/test-peers"
fi
