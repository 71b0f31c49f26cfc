#!/usr/bin/env bash
# Writes what the programs and the dashboard are made of into FOLDER, as CycloneDX 1.5 in JSON. Usage: sbom.sh FOLDER
#
# Each file is the same for the same commit: without the random serial number, with the commit's time, and without the
# folder in which it was made.
set -euo pipefail
folder=$(realpath "$1")
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
time=$(date -u -d "@${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}" +%FT%TZ)

# Tidies FILE and writes it as NAME.
tidy() {
    jq --sort-keys --arg root "$root" --arg time "$time" '
        ($root | split("/") | map(@uri) | join("/")) as $root
        | del(.serialNumber) | .metadata.timestamp = $time
        | walk(if type == "string" then gsub("path\\+file://\($root)/?"; "path+file:///") | gsub("file://\($root)"; "file://") else . end)
    ' "$1" >"$folder/$2.cdx.json"
}

for crate in blinkd blinkctl cloud-api cloud-api/face-worker; do
    cargo cyclonedx --quiet --manifest-path "$crate/Cargo.toml" --format json --spec-version 1.5 --override-filename sbom
    tidy "$crate/sbom.json" "${crate##*/}"
done
# It leaves one beside each member of the workspace.
git ls-files -z '*Cargo.toml' | xargs -0 -n1 dirname | while read -r crate; do rm -f "$crate/sbom.json"; done

node=$(packaging/node.sh)
cd cloud-api/dashboard
PATH="$node:$PATH" npm sbom --package-lock-only --omit dev --sbom-format cyclonedx --sbom-type application >"$folder/npm.json"
tidy "$folder/npm.json" dashboard
rm "$folder/npm.json"
