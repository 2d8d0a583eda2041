#!/bin/sh
# Deno uses its cache of compiled code only where it may write: not on a read-only
# file system, nor as a user outside of group 0.
if [ ! -w "$DENO_DIR" ]; then
  copy=/tmp/browsergrid-cache
  [ -e "$copy" ] || cp -R "$DENO_DIR" "$copy" 2>/dev/null
  export DENO_DIR="$copy"
fi
exec deno RUN_FLAGS /usr/local/lib/browsergrid/main.js "$@"
