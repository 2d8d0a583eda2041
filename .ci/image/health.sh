#!/bin/bash
# Succeeds if the server of this container is ready. Other commands, such as a
# worker, have no address to ask: they are healthy as long as they run.
set -eu
tr '\0' ' ' </proc/1/cmdline | grep -q ' browsergrid serve\b' || exit 0
host=$BROWSERGRID_HOST
[ "$host" != 0.0.0.0 ] || host=127.0.0.1
exec 3<>"/dev/tcp/$host/$BROWSERGRID_PORT"
printf 'GET /ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
read -r -u 3 _ status _
[ "$status" = 200 ]
