#!/bin/sh
# Starts what a browser needs, then Chromium with the arguments of the container.
# Ends with Chromium's exit code. Settings, all optional:
#   BROWSERGRID_SANDBOX            auto (default), on, off
#   BROWSERGRID_DISPLAY            size of a virtual screen, such as 1280x720x24
#   BROWSERGRID_DPI                how densely that screen is drawn
#   BROWSERGRID_PROXY_ADDRESS      host:port of an HTTP proxy that asks for
#   BROWSERGRID_PROXY_CREDENTIALS  user name and password, in Base64
#   BROWSERGRID_EGRESS             networks that the browser may reach: see egress.sh
set -u

# Runs as root only here: limits the network, then switches to the browser's user permanently.
if [ -n "${BROWSERGRID_EGRESS:-}" ]; then
  env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    BROWSERGRID_EGRESS="$BROWSERGRID_EGRESS" \
    BROWSERGRID_EGRESS_POOL="${BROWSERGRID_EGRESS_POOL:-}" \
    BROWSERGRID_EGRESS_DENY="${BROWSERGRID_EGRESS_DENY:-}" \
    BROWSERGRID_EGRESS_ALLOW="${BROWSERGRID_EGRESS_ALLOW:-}" \
    BROWSERGRID_EGRESS_UPSTREAM="${BROWSERGRID_EGRESS_UPSTREAM:-}" \
    BROWSERGRID_EGRESS_CREDENTIALS="${BROWSERGRID_EGRESS_CREDENTIALS:-}" \
    sh /usr/local/lib/browsergrid/egress.sh || exit 78
  unset BROWSERGRID_EGRESS BROWSERGRID_EGRESS_POOL BROWSERGRID_EGRESS_DENY \
    BROWSERGRID_EGRESS_ALLOW BROWSERGRID_EGRESS_UPSTREAM BROWSERGRID_EGRESS_CREDENTIALS
  HOME=/home/browser exec setpriv --reuid browser --regid browser --clear-groups \
    --inh-caps=-all --bounding-set=-all --no-new-privs /bin/sh "$0" "$@"
fi

sandbox_possible() {
  unshare --user --pid --net --fork true 2>/dev/null
}

if [ "${1:-}" = probe-sandbox ]; then
  sandbox_possible
  exit
fi

# Succeeds, because egress.sh has set the limits.
[ "${1:-}" = probe-egress ] && exit

case ${BROWSERGRID_SANDBOX:-auto} in
  off) set -- --no-sandbox "$@" ;;
  auto) sandbox_possible || set -- --no-sandbox "$@" ;;
esac

if [ -n "${BROWSERGRID_PROXY_ADDRESS:-}" ]; then
  haproxy -f /etc/haproxy/browsergrid.cfg >/dev/null &
  set -- --proxy-server=http://127.0.0.1:3128 "$@"
fi

if [ -n "${BROWSERGRID_DISPLAY:-}" ]; then
  Xvfb :99 -screen 0 "$BROWSERGRID_DISPLAY" -dpi "${BROWSERGRID_DPI:-96}" \
    -nolisten tcp -noreset -extension GLX >/dev/null 2>&1 &
  xvfb=$!
  while [ ! -S /tmp/.X11-unix/X99 ]; do
    kill -0 "$xvfb" 2>/dev/null || { echo "Xvfb did not start" >&2; exit 1; }
    sleep 0.01
  done
  export DISPLAY=:99
  # Waits until it manages the screen, which Chromium checks at its start.
  mkfifo /tmp/window-manager
  env -i DISPLAY=:99 perl /usr/local/lib/browsergrid/window_manager.pl >/tmp/window-manager &
  read -r _ </tmp/window-manager
  rm /tmp/window-manager
fi

unset BROWSERGRID_PROXY_ADDRESS BROWSERGRID_PROXY_CREDENTIALS

# Debian's own launcher is passed over: it adds flags and 100 ms.
/usr/lib/chromium/chromium --remote-debugging-port=9223 \
  --user-data-dir=/home/browser/profile "$@" &
chromium=$!
trap 'kill -TERM "$chromium" 2>/dev/null' TERM INT HUP

# Chromium's CDP listens on the loopback only. Without the forwarder nobody can reach it.
{
  socat -b 65536 TCP-LISTEN:9222,fork,reuseaddr,nodelay,backlog=64 \
    TCP:127.0.0.1:9223,nodelay 2>/dev/null
  kill -TERM "$chromium" 2>/dev/null
} &

# A signal ends `wait` early, hence the loop.
while :; do
  wait "$chromium"
  code=$?
  kill -0 "$chromium" 2>/dev/null || exit "$code"
done
