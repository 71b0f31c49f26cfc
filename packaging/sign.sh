#!/usr/bin/env bash
# Signs the RPM packages of dist/, writes SHA256SUMS anew, and signs it as SHA256SUMS.asc. With GPG_PRIVATE_KEY, an armoured
# key without a passphrase, that key signs, in a keyring of its own; without it nothing is signed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [[ -z ${GPG_PRIVATE_KEY:-} ]]; then
    echo 'sign: GPG_PRIVATE_KEY is not set, and nothing is signed.'
    exit 0
fi
GNUPGHOME=$(mktemp -d)
export GNUPGHOME
trap 'gpgconf --kill all; rm -rf "$GNUPGHOME"' EXIT
gpg --batch --quiet --import <<<"$GPG_PRIVATE_KEY"
key=$(gpg --batch --list-secret-keys --with-colons | awk -F : '$1 == "fpr" { print $10; exit }')

rpmsign --define "_gpg_name $key" --define "__gpg $(command -v gpg)" --addsign dist/*.rpm >/dev/null
(cd dist && rm -f SHA256SUMS && sha256sum -- * >SHA256SUMS)
gpg --batch --yes --local-user "$key" --armor --detach-sign --output dist/SHA256SUMS.asc dist/SHA256SUMS
echo "sign: signed by $key"
