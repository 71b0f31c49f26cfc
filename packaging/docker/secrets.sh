#!/usr/bin/env bash
# Makes the secrets of compose.yaml in secrets/, once. As root, since the server in the container owns two of them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
[[ ! -e secrets ]] || {
    echo 'secrets: the folder is there already, and nothing was changed. A new master key would lose what the old one sealed.' >&2
    exit 1
}
umask 077
# All of it or nothing: a run that is interrupted is repeated.
made=$(mktemp --directory ./secrets.XXXXXX)
trap 'rm -rf "$made"' EXIT
password=$(openssl rand -hex 24)
printf '%s' "$password" >"$made/database_password"
printf 'database:5432:wellness:cloud_api:%s\n' "$password" >"$made/pgpass"
openssl rand -base64 32 >"$made/master_key"
# The database reads its password as another user; the folder is closed to everybody else.
chmod 644 "$made/database_password"
# libpq refuses a file that others could read.
chown 10001:10001 "$made/pgpass" "$made/master_key"
mv -T "$made" secrets
echo 'secrets: made. Keep a copy of secrets/master_key where the backups are not.'
