#!/usr/bin/env bash
# Installs the packages of dist/ in a fresh Debian 12, uses them there, upgrades, removes and purges them, and prints what
# it checked. Usage, as root: packaging/test-packages.sh
#
# The fresh system is made by debootstrap, which wants the network, and booted by systemd-nspawn without one, so the units
# run as they are. WAW_TEST_ROOT=FOLDER uses a copy of a Debian 12 that is there already. Faces are recognised
# where BLINKD_MODELS_DIR, or the own profile, has all models.
# What stands in single quotes is for the shell of the other system.
# shellcheck disable=SC2016,SC2034
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

die() {
    printf 'test-packages: %s\n' "$*" >&2
    exit 1
}
[[ $(id -u) == 0 ]] || die 'it makes a system of its own and boots it, which only root can.'
for tool in debootstrap systemd-nspawn nsenter dpkg-deb jq; do
    command -v $tool >/dev/null || die "there is no $tool. Run: apt-get install debootstrap systemd-container util-linux dpkg jq"
done
shopt -s nullglob
debs=(dist/*.deb) rpms=(dist/*.rpm)
((${#debs[@]} == 3 && ${#rpms[@]} == 3)) || die "dist/ does not hold three packages of each kind. Run \`make package\`."

work=$(mktemp -d "${TMPDIR:-/var/tmp}/waw-packages.XXXXXX")
root=$work/root
container=''
cleanup() {
    [[ -z $container ]] || kill "$container" 2>/dev/null || true
    [[ -z $container ]] || wait "$container" 2>/dev/null || true
    ! mountpoint -q "$root/proc" || umount "$root/proc"
    rm -rf "$work"
}
trap cleanup EXIT

checked=0
ok() {
    checked=$((checked + 1))
    printf '  ok  %s\n' "$*"
}
# Says WHAT when the command succeeds, and ends everything when not.
check() {
    local what=$1
    shift
    "$@" >"$work/out" 2>&1 || {
        cat "$work/out" >&2
        die "failed: $what"
    }
    ok "$what"
}
# Runs what is on standard input in the booted system.
inside() { nsenter --target "$leader" --all --root --wd /bin/bash -eu -o pipefail "$@"; }
check_inside() {
    local what=$1
    check "$what" inside -c "$2"
}
until_inside() {
    local what=$1 tries
    for tries in {1..300}; do
        inside -c "$2" >/dev/null 2>&1 && break
        sleep 0.2
    done
    check_inside "$what" "$2"
}

# --- a fresh system ---------------------------------------------------------------------------------------------
if [[ -n ${WAW_TEST_ROOT:-} ]]; then
    cp -a "$WAW_TEST_ROOT" "$root"
else
    debootstrap --variant=minbase bookworm "$root" >"$work/debootstrap.log" 2>&1 || {
        tail -n 20 "$work/debootstrap.log" >&2
        die 'debootstrap failed as shown above.'
    }
fi
printf 'Fresh system: %s\n' "$(sed -n 's/^PRETTY_NAME=//p' "$root/etc/os-release")"

# The next version: the same programs under another number.
mkdir "$work/next"
current=$(dpkg-deb --field "${debs[0]}" Version)
next=${current%-*}+next-1
for deb in "${debs[@]}"; do
    dpkg-deb --raw-extract "$deb" "$work/unpacked"
    sed -i "s/^Version: .*/Version: $next/" "$work/unpacked/DEBIAN/control"
    dpkg-deb --root-owner-group -Zgzip -z1 --build "$work/unpacked" "$work/next" >/dev/null
    rm -rf "$work/unpacked"
done

mkdir "$root/debs" "$root/debs/next"
cp "${debs[@]}" "${rpms[@]}" "$root/debs/"
cp "$work"/next/*.deb "$root/debs/next/"
mount -t proc proc "$root/proc"
echo 'Packages, installed with what they depend on:'
apt() { chroot "$root" env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 apt-get -qq -o Dpkg::Use-Pty=0 "$@"; }
check 'the package list is there' apt update
check "apt installs version $current of all three" apt install -y --no-install-recommends "${debs[@]/#dist//debs}"
check 'and for the checks a user manager, curl, rpm and the model of the 68 landmarks' \
    apt install -y --no-install-recommends libdlib-data dbus-user-session libpam-systemd curl procps rpm
umount "$root/proc"
check 'cloud-api links neither OpenCV nor dlib' chroot "$root" sh -c 'ldd /usr/bin/cloud-api >/tmp/linked && ! grep -E "opencv|dlib" /tmp/linked'

models=${BLINKD_MODELS_DIR:-${XDG_DATA_HOME:-$HOME/.local/share}/blinkd/models}
faces=false
if [[ -f $models/dlib_face_recognition_resnet_model_v1.dat && -f $models/shape_predictor_5_face_landmarks.dat ]]; then
    faces=true
    mkdir -p "$root/var/lib/blinkd"
    cp -r "$models" "$root/var/lib/blinkd/models"
fi

# --- booted -----------------------------------------------------------------------------------------------------
# nspawn's own filter lacks the calls of Landlock.
systemd-nspawn --quiet --register=no --keep-unit --directory "$root" --private-network --console=pipe \
    --system-call-filter='landlock_create_ruleset landlock_add_rule landlock_restrict_self' \
    /lib/systemd/systemd >"$work/boot.log" 2>&1 </dev/null &
container=$!
leader=''
for _ in {1..300}; do
    leader=$(pgrep --parent $container | head -n 1) || true
    [[ -z $leader ]] || ! inside -c 'systemctl is-system-running | grep -qE "running|degraded"' 2>/dev/null || break
    sleep 0.2
done
[[ -n $leader ]] || {
    tail -n 20 "$work/boot.log" >&2
    die 'the system did not boot as shown above.'
}


echo 'The desktop:'
for program in blinkctl blinkd face-worker cloud-api; do
    check_inside "$program runs: $(inside -c "$program --version")" "$program --version"
done
inside -c 'useradd --create-home --shell /bin/bash ada'
as_ada() { inside -c "runuser -l ada -c '$1'"; }
check 'manual pages and completions are found' inside -c '
    for page in blinkd blinkctl cloud-api face-worker; do test -e /usr/share/man/man1/$page.1.gz; done
    for program in blinkd blinkctl cloud-api; do
        source /usr/share/bash-completion/completions/$program
        complete -p $program
    done
    COMP_WORDS=(blinkctl conf) COMP_CWORD=1 COMP_TYPE=9
    _blinkctl blinkctl conf blinkctl
    [[ ${COMPREPLY[*]} == config ]]'
as_ada 'blinkd synthesize face.avi --seconds 30 --bpm 20 --truth truth.json' >/dev/null
drawn=$(inside -c 'cat /home/ada/truth.json' | jq '.blinks | length')
counted=$(as_ada 'blinkd analyze face.avi --json' | jq .blink_count)
check "blinkd counts a synthetic face: $counted blinks counted of $drawn drawn" test "$counted" == "$drawn"
as_ada 'blinkd config set log.level debug' >/dev/null
check_inside 'nothing starts by itself: the unit is not enabled, the autostart entry is off' '
    test "$(systemctl is-enabled cloud-api)" = disabled && ! systemctl --global is-enabled --quiet blinkd
    grep -qx Hidden=true /etc/xdg/autostart/blinkd.desktop'
inside -c 'loginctl enable-linger ada; systemctl start user@$(id -u ada).service'
user="systemctl --user --machine=ada@"
until_inside "the unit of a user runs blinkd" "$user start blinkd && $user is-active blinkd && runuser -l ada -c 'XDG_RUNTIME_DIR=/run/user/\$(id -u) blinkctl status --json'"
daemon=$(inside -c "$user show --property=MainPID --value blinkd")

echo 'The server:'
inside -c 'systemd-analyze security --no-pager cloud-api | tail -n 1' >"$work/security" || true
ok "systemd-analyze security: $(tr -d '\n' <"$work/security")"
ok "by its unit: $(inside -c 'systemctl show --property=ExecStart cloud-api' | grep -o 'argv\[\]=[^;]*')"
check_inside 'the settings are root'"'"'s alone' 'test "$(stat -c "%U %a" /etc/cloud-api/cloud-api.env)" = "root 600"'
inside -c 'echo CLOUD_API_REGISTRATION=closed >>/etc/cloud-api/cloud-api.env; systemctl enable --now cloud-api' 2>/dev/null
get() { printf 'curl -sS --fail --max-time 5 http://127.0.0.1:8080%s' "$1"; }
until_inside '/health answers' "$(get /health) | grep '\"status\":\"ok\"'"
ok "$(inside -c "$(get /health)")"
check_inside 'it runs as cloud-api' 'test "$(stat -c %U /proc/$(systemctl show --property=MainPID --value cloud-api))" = cloud-api'
check_inside 'the dashboard is served' "$(get /) | grep -q '<div id=\"root\"' && script=\$($(get /) | grep -o '/assets/[^\"]*\\.js' | head -n 1) && $(get '')\$script | wc -c | grep -E '.{4}'"
if $faces; then
    until_inside 'its face-worker is ready, locked down' 'journalctl --unit cloud-api | grep -E "face-worker is ready.*rlimits.*landlock.*seccomp"'
    check_inside 'and the desk is there' "$(get /healthz) | grep '\"attendance\":\"ok\"'"
else
    echo '  skipped: the face-worker inside the unit, for want of the models'
fi
inside -c 'echo "correct horse battery" | runuser -u cloud-api -- env XDG_DATA_HOME=/var/lib cloud-api admin create ada@example.org --password-stdin' >/dev/null
sign_in="curl -sS --fail --max-time 10 -H 'Content-Type: application/json' -d '{\"email\":\"ada@example.org\",\"password\":\"correct horse battery\"}' http://127.0.0.1:8080/api/auth/login"
check_inside 'an account made at the machine signs in' "$sign_in"
check_inside 'a backup is made as docs/install.md says' 'systemd-run --quiet --pipe --wait --collect --uid=cloud-api --working-directory=/ \
    --setenv=XDG_DATA_HOME=/var/lib --property=EnvironmentFile=/etc/cloud-api/cloud-api.env cloud-api backup - >/var/tmp/backup.gz; gzip --test /var/tmp/backup.gz'
check_inside 'the data is the user'"'"'s alone' 'test "$(stat -c "%U %a" /var/lib/cloud-api /var/lib/cloud-api/server.db | tr "\n" " ")" = "cloud-api 700 cloud-api 600 "'
check_inside 'a settings file that an operator broke stops the unit at once and for good' '
    cp -p /etc/cloud-api/cloud-api.env /var/tmp/cloud-api.env
    echo CLOUD_API_RETENTION_DAYS=never >>/etc/cloud-api/cloud-api.env
    systemctl restart cloud-api
    timeout 30 sh -c "until systemctl is-failed --quiet cloud-api; do sleep 0.1; done"
    test "$(systemctl show --property=ExecMainStatus --value cloud-api)" = 2
    test "$(systemctl show --property=NRestarts --value cloud-api)" = 0
    mv /var/tmp/cloud-api.env /etc/cloud-api/cloud-api.env
    systemctl reset-failed cloud-api; systemctl restart cloud-api'
until_inside 'mended, it answers again' "$(get /health)"

echo 'Upgrade:'
before=$(inside -c 'systemctl show --property=MainPID --value cloud-api')
settings=$(inside -c 'sha256sum /etc/cloud-api/cloud-api.env /home/ada/.config/blinkd/config.toml')
check_inside "dpkg installs $next over $current" 'DEBIAN_FRONTEND=noninteractive dpkg --install /debs/next/*.deb </dev/null'
until_inside 'the server runs again' "$(get /health)"
check 'as another process' test "$before" != "$(inside -c 'systemctl show --property=MainPID --value cloud-api')"
check_inside 'it is still enabled' 'systemctl is-enabled cloud-api'
check_inside 'the account still signs in' "$sign_in"
check 'the operator'"'"'s and the person'"'"'s settings are as they were' \
    test "$settings" == "$(inside -c 'sha256sum /etc/cloud-api/cloud-api.env /home/ada/.config/blinkd/config.toml')"
until_inside 'the daemon of the user runs again, as the new program' \
    "$user is-active blinkd && test \$($user show --property=MainPID --value blinkd) != $daemon"
check_inside 'one that was stopped stays stopped after another upgrade' \
    "$user stop blinkd; dpkg --install /debs/next/blinkd_*.deb && ! $user is-active blinkd; $user start blinkd"

echo 'Removal:'
personal='sha256sum /var/lib/cloud-api/server.keys.json /home/ada/.config/blinkd/config.toml'
kept=$(inside -c "$personal")
check_inside 'dpkg removes all three' 'dpkg --remove blinkd cloud-api cloud-api-face-worker'
check_inside 'the server and the daemon have ended' '! pgrep -x cloud-api && ! pgrep -x blinkd && ! pgrep -x face-worker'
check_inside 'no program is left' 'for program in blinkd blinkctl cloud-api face-worker; do test ! -e /usr/bin/$program; done'
check 'data and settings are kept' test "$kept" == "$(inside -c "$personal; test -e /etc/cloud-api/cloud-api.env")"
check_inside 'installed again, it goes on with them' 'DEBIAN_FRONTEND=noninteractive dpkg --install /debs/next/*.deb </dev/null && systemctl start cloud-api'
until_inside 'and the account signs in' "$sign_in"
check_inside 'dpkg purges all three' 'dpkg --purge blinkd cloud-api cloud-api-face-worker'
check_inside 'the packages'"'"' own settings are gone' 'test ! -e /etc/cloud-api && test ! -e /etc/xdg/autostart/blinkd.desktop'
check_inside 'nothing of them is left in /usr and /etc' \
    '! find /usr /etc \( -name "*blinkd*" -o -name "*blinkctl*" -o -name "*cloud-api*" -o -name "face-worker*" \) ! -path "*/icons/*.cache" | grep .'
check 'people'"'"'s data is kept, the database and its owner too' \
    test "$kept" == "$(inside -c "$personal; test -e /var/lib/cloud-api/server.db; getent passwd cloud-api >/dev/null")"

echo 'The RPM packages, by rpm on the same Debian (without what they require, which rpm does not find there):'
check_inside 'rpm installs all three' 'rpm --install --nodeps /debs/*.rpm'
check_inside 'blinkctl runs' 'blinkctl --version'
check_inside 'the unit starts' 'systemctl start cloud-api'
until_inside 'on the data that was kept: the account signs in' "$sign_in"
check_inside 'rpm erases all three, and the server ends' 'rpm --erase blinkd cloud-api cloud-api-face-worker; ! pgrep -x cloud-api'
check_inside 'no program is left' 'for program in blinkd blinkctl cloud-api face-worker; do test ! -e /usr/bin/$program; done'
check 'the data is kept' test "$kept" == "$(inside -c "$personal; test -e /var/lib/cloud-api/server.db")"
printf '%s checks passed.\n' "$checked"
