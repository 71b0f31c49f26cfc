#!/usr/bin/env bash
# Makes dist/Wellness at Work.app and a DMG of it. Never run: it is written from documentation.
#
# Wants Xcode's command line tools, and from Homebrew: opencv, dlib, openblas, librsvg, dylibbundler. Signing:
#
#   MACOS_SIGN_IDENTITY   the name of a Developer ID Application certificate in the keychain; without it the signature is
#                         ad hoc, and other machines refuse to open the application
#   MACOS_NOTARY_PROFILE  a profile that `xcrun notarytool store-credentials` made; without it nothing is notarised
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
[[ $(uname -s) == Darwin ]] || {
    echo 'dmg: this wants macOS.' >&2
    exit 1
}

version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
target=${CARGO_TARGET_DIR:-target}
identity=${MACOS_SIGN_IDENTITY:--}
app="dist/Wellness at Work.app"
contents=$app/Contents

# dlib's crate names libraries without their folders, and Homebrew's are in none that the linker knows. OpenCV's crate loads
# libclang, which the system removes from the environment of its own programs, so it is set here.
brew=$(brew --prefix)
openblas=$(brew --prefix openblas)
developer=$(xcode-select --print-path)
export DEP_DLIB_INCLUDE=$brew/include
export LIBRARY_PATH=$brew/lib:$openblas/lib
# Xcode has it in its toolchain, the command line tools alone beside their programs.
export DYLD_FALLBACK_LIBRARY_PATH=$developer/Toolchains/XcodeDefault.xctoolchain/usr/lib:$developer/usr/lib
cargo build --locked --profile dist --package blinkd --bin blinkd --package blinkctl --bin blinkctl
rm -rf "$app"
mkdir -p "$contents/MacOS" "$contents/Resources" "$contents/Frameworks"
cp "$target/dist/blinkd" "$target/dist/blinkctl" "$contents/MacOS/"
sed "s/@VERSION@/$version/" packaging/macos/Info.plist >"$contents/Info.plist"

# An application is started without arguments.
cat >"$contents/MacOS/blinkd-app" <<'END'
#!/bin/sh
exec "$(dirname "$0")/blinkd" run
END
chmod 755 "$contents/MacOS/blinkd-app"

# OpenCV, dlib and what they need come along.
dylibbundler --create-dir --bundle-deps --fix-file "$contents/MacOS/blinkd" \
    --dest-dir "$contents/Frameworks" --install-path @executable_path/../Frameworks

icons=$(mktemp -d)/blinkd.iconset
mkdir "$icons"
for size in 16 32 128 256 512; do
    for scale in 1 2; do
        suffix=$([[ $scale == 1 ]] || echo @2x)
        rsvg-convert --width $((size * scale)) --height $((size * scale)) --output "$icons/icon_${size}x${size}$suffix.png" \
            cloud-api/dashboard/public/favicon.svg
    done
done
iconutil --convert icns --output "$contents/Resources/blinkd.icns" "$icons"

# From the inside out: a signature covers what is in it.
sign() { codesign --force --timestamp --options runtime --sign "$identity" "$@"; }
# The hardened runtime wants every library to be of one signer, which an ad hoc signature does not name.
[[ $identity != - ]] || sign() { codesign --force --sign - "$@"; }
find "$contents/Frameworks" -name '*.dylib' -print0 | while IFS= read -r -d '' library; do sign "$library"; done
sign "$contents/MacOS/blinkctl"
# The camera is granted to an identifier: the program has that of the application, whichever of them is started.
sign --identifier org.wellness-at-work.blinkd --entitlements packaging/macos/entitlements.plist "$contents/MacOS/blinkd"
sign --entitlements packaging/macos/entitlements.plist "$app"
codesign --verify --deep --strict "$app"

image=dist/wellness-at-work-$version-$(uname -m).dmg
volume=$(mktemp -d)
cp -R "$app" "$volume/"
ln -s /Applications "$volume/Applications"
hdiutil create -volname 'Wellness at Work' -srcfolder "$volume" -format UDZO -ov "$image"
sign "$image"
if [[ -n ${MACOS_NOTARY_PROFILE:-} ]]; then
    xcrun notarytool submit "$image" --keychain-profile "$MACOS_NOTARY_PROFILE" --wait
    xcrun stapler staple "$image"
fi
echo "$image"
