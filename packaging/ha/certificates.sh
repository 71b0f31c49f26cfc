#!/usr/bin/env bash
# Makes a certificate authority and a certificate for each host of the database.
# Usage: certificates.sh FOLDER NAME=ADDRESS[,ADDRESS]..
#
# FOLDER/NAME gets ca.crt, server.crt and server.key; copy it to /etc/waw-ha of that host, root:ssl-cert, the key 0640.
# Hosts of cloud-api need ca.crt alone. FOLDER/ca.key makes further certificates: keep it off the hosts.
set -euo pipefail

folder=${1:?usage: certificates.sh FOLDER NAME=ADDRESS[,ADDRESS]..}
shift
umask 077
mkdir -p "$folder"
cd "$folder"
days=3650

if [[ ! -e ca.key ]]; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days $days -subj "/CN=waw-ha authority" \
        -keyout ca.key -out ca.crt 2>/dev/null
fi
for host in "$@"; do
    name=${host%%=*} addresses=${host#*=}
    mkdir -p "$name"
    printf 'subjectAltName=DNS:%s,IP:%s\nextendedKeyUsage=serverAuth,clientAuth\n' "$name" "${addresses//,/,IP:}" >extensions
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" -keyout "$name/server.key" 2>/dev/null |
        openssl x509 -req -days $days -CA ca.crt -CAkey ca.key -CAcreateserial -extfile extensions \
            -out "$name/server.crt" 2>/dev/null
    rm extensions
    cp ca.crt "$name/ca.crt"
done
