#!/usr/bin/env bash
# Checks dist/ and the files that go into it with the tools that distributions check them with.
# Wants lintian, desktop-file-utils, appstream, systemd and python3.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

[[ -f dist/SHA256SUMS ]] || {
    echo 'check.sh: there are no packages in dist/. Run `make package`.' >&2
    exit 1
}
(cd dist && sha256sum --check --quiet SHA256SUMS)
echo "sha256sum: $(wc -l <dist/SHA256SUMS) files are as SHA256SUMS says"

lintian --allow-root --fail-on error --tag-display-limit 0 dist/*.deb
echo 'lintian: no errors'

desktop-file-validate packaging/linux/*.desktop
echo 'desktop-file-validate: no errors'

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
dpkg-deb --fsys-tarfile dist/blinkd_*.deb | tar --extract --directory "$folder"
appstreamcli validate --no-net "$folder"/usr/share/metainfo/*.xml

exposure=$(systemd-analyze security --no-pager --offline=true packaging/linux/cloud-api.service | tail -n 1)
echo "systemd-analyze security: $exposure"
awk '{ for (i = 1; i <= NF; i++) if ($i ~ /^[0-9.]+$/) exit !($i < 3) }' <<<"$exposure"

python3 - packaging/macos/*.plist <<'END'
import plistlib, sys, xml.dom.minidom

for name in sys.argv[1:]:
    plistlib.load(open(name, "rb"))
xml.dom.minidom.parse("packaging/windows/blinkd.wxs")
print("property lists and WiX source: well-formed")
END
