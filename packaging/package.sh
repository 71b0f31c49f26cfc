#!/usr/bin/env bash
# Makes dist/: packages of what is built, checksums and the list of components. `make package` builds first.
#
# Programs are taken from target/dist, which holds stripped ones. PACKAGE_VERSION=X.Y.Z gives the packages another
# version than Cargo.toml's. The same programs of the same commit make the same files, byte for byte.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

target=${CARGO_TARGET_DIR:-target}
programs=$target/dist
version=${PACKAGE_VERSION:-$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)}
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
# Umask and time zone must not show.
export SOURCE_DATE_EPOCH TZ=UTC LC_ALL=C.UTF-8
umask 022

die() {
    printf 'package: %s\n' "$*" >&2
    exit 1
}
for program in blinkd blinkctl cloud-api face-worker; do
    [[ -x $programs/$program ]] || die "$programs/$program is not built. Run \`make package\`, which builds it."
done

rm -rf dist
files=dist/files
all=$files/all

# --- what is the same in both kinds of package ------------------------------------------------------------------
# Puts FILE at PLACE, below the folder of PACKAGE.
put() { install -D -m 644 "$1" "$all/$2/$3"; }

put packaging/linux/blinkd.service blinkd usr/lib/systemd/user/blinkd.service
put packaging/linux/autostart.desktop blinkd etc/xdg/autostart/blinkd.desktop
id=org.wellness_at_work.blinkd
cat >>"$all/blinkd/etc/xdg/autostart/blinkd.desktop" <<END
TryExec=blinkd
Icon=$id
# Off until somebody wants it: \`blinkctl service install\` starts blinkd at one's own sign-in. To start it at
# everybody's, set Hidden=false here, or run \`systemctl --global enable blinkd.service\`, but not both.
Hidden=true
END
put packaging/linux/$id.desktop blinkd usr/share/applications/$id.desktop
put cloud-api/dashboard/public/favicon.svg blinkd usr/share/icons/hicolor/scalable/apps/$id.svg
put packaging/linux/$id.metainfo.xml blinkd usr/share/metainfo/$id.metainfo.xml
sed -i "s/@VERSION@/$version/; s/@DATE@/$(date -u -d "@$SOURCE_DATE_EPOCH" +%F)/" "$all/blinkd/usr/share/metainfo/$id.metainfo.xml"

put packaging/linux/cloud-api.env cloud-api etc/cloud-api/cloud-api.env
put packaging/linux/face-worker.README cloud-api-face-worker usr/share/doc/cloud-api-face-worker/README
put packaging/nginx/cloud-api.conf cloud-api usr/share/doc/cloud-api/examples/nginx.conf

# The configuration of people who have none must not show either.
profile=$(mktemp -d)
trap 'rm -rf "$profile"' EXIT
# What a program writes of itself: its manual and completions, into the folder of PACKAGE.
document() {
    local share=$all/$1/usr/share program=$2 shell place
    run() { env -i PATH="$PATH" HOME="$profile" "$programs/$program" "$@"; }
    run man --dir "$share/man/man1" >/dev/null
    for shell in bash zsh fish; do
        case $shell in
        bash) place=bash-completion/completions/$program ;;
        zsh) place=zsh/vendor-completions/_$program ;;
        fish) place=fish/vendor_completions.d/$program.fish ;;
        esac
        mkdir -p "$share/${place%/*}"
        run completions $shell >"$share/$place"
    done
}
document blinkd blinkctl
document blinkd blinkd
document cloud-api cloud-api
pages=$all/cloud-api-face-worker/usr/share/man/man1
mkdir -p "$pages"
env -i PATH="$PATH" HOME="$profile" SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH" help2man --no-info --manual='Wellness at Work' \
    --name='reads pictures and recordings for cloud-api' --output="$pages/face-worker.1" "$programs/face-worker"
gzip -9n "$all"/*/usr/share/man/man1/*.1

# --- what differs -----------------------------------------------------------------------------------------------
for package in blinkd cloud-api cloud-api-face-worker; do
    deb=$files/deb/$package rpm=$files/rpm/$package
    mkdir -p "$deb"
    install -D -m 644 packaging/linux/copyright "$rpm/usr/share/licenses/$package/copyright"
    cat >"$deb/changelog" <<END
$package ($version-1) unstable; urgency=medium

  * Wellness at Work $version. CHANGELOG.md in the sources says what changed.

 -- Wellness at Work <packages@wellness-at-work.org>  $(date -u -R -d "@$SOURCE_DATE_EPOCH")
END
    if [[ -f packaging/linux/deb/$package.lintian-overrides ]]; then
        install -D -m 644 "packaging/linux/deb/$package.lintian-overrides" "$deb/usr/share/lintian/overrides/$package"
    fi
    # The two kinds of system look for zsh's completions in different folders.
    zsh=$all/$package/usr/share/zsh
    if [[ -d $zsh ]]; then
        mkdir -p "$deb/usr/share/zsh" "$rpm/usr/share/zsh/site-functions"
        cp "$zsh"/vendor-completions/* "$rpm/usr/share/zsh/site-functions/"
        mv "$zsh/vendor-completions" "$deb/usr/share/zsh/"
        rmdir "$zsh"
    fi
done
# RPM packages keep times that are before the commit's: fresh copies have none.
install -D -m 755 -t $files/programs "$programs"/{blinkd,blinkctl,cloud-api,face-worker}
install -D -m 644 packaging/linux/cloud-api.service $files/rpm/cloud-api/usr/lib/systemd/system/cloud-api.service
install -D -m 644 packaging/linux/cloud-api.sysusers $files/rpm/cloud-api/usr/lib/sysusers.d/cloud-api.conf

# --- packages ---------------------------------------------------------------------------------------------------
for crate in blinkd cloud-api face-worker; do
    cargo deb --quiet --no-build --no-strip --profile dist --package $crate --deb-version "$version-1" --output dist/
done
for folder in blinkd cloud-api cloud-api/face-worker; do
    cargo generate-rpm --package $folder --profile dist --target-dir "$target" --auto-req find-requires \
        --set-metadata "version = \"$version\"" --output dist/
done
rm -rf "$files"

# --- what they are made of --------------------------------------------------------------------------------------
packaging/sbom.sh dist

(cd dist && sha256sum -- * >SHA256SUMS)
ls -l dist
