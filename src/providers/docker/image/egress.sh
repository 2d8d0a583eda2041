#!/bin/sh
# Limits the network of the container, as root with CAP_NET_ADMIN, before anything of a
# session runs. The session's user reaches only loopback, where the proxy of egress.pl
# listens, which runs as another user. Then starts the proxy. Fails if the rules do not work.
#   BROWSERGRID_EGRESS           no_private or none
#   BROWSERGRID_EGRESS_POOL, _DENY, _ALLOW, _UPSTREAM, _CREDENTIALS: see egress.pl
set -eu

fail() {
  echo "Cannot limit the egress of this container: $1" >&2
  exit 1
}

# With --network host the rules would apply to the host. Only a host has devices behind its interfaces.
for each in /sys/class/net/*/device; do
  [ ! -e "$each" ] || fail "it has the network of its host"
done

elements() { # prints the IPv$1 networks in the list $2, for a set
  for each in $2; do
    case $each in *:*) family=6 ;; *) family=4 ;; esac
    [ "$family" = "$1" ] && printf '%s,' "$each"
  done
  true
}

resolvers=$(sed -n 's/^nameserver[[:space:]]*\([0-9A-Fa-f.:]*\).*/\1/p' /etc/resolv.conf)
deny4=$(elements 4 "$BROWSERGRID_EGRESS_DENY")
deny6=$(elements 6 "$BROWSERGRID_EGRESS_DENY")
dns4=$(elements 4 "$resolvers")
dns6=$(elements 6 "$resolvers")

# The proxy decides exceptions, which may be names. Without exceptions the kernel denies the same ranges to the proxy.
held=
[ -n "${BROWSERGRID_EGRESS_ALLOW:-}" ] || held="
    meta skuid egress ip daddr @deny4 reject with icmp type admin-prohibited
    meta skuid egress ip6 daddr @deny6 reject with icmpv6 type admin-prohibited"

nft -f - <<RULES || fail "the kernel does not take the rules of nftables"
table inet browsergrid {
  set deny4 { type ipv4_addr; flags interval; auto-merge; ${deny4:+elements = { ${deny4%,} \}} }
  set deny6 { type ipv6_addr; flags interval; auto-merge; ${deny6:+elements = { ${deny6%,} \}} }
  set dns4 { type ipv4_addr; ${dns4:+elements = { ${dns4%,} \}} }
  set dns6 { type ipv6_addr; ${dns6:+elements = { ${dns6%,} \}} }
  chain output {
    type filter hook output priority 0; policy drop;
    # The engine's resolver listens on the container's loopback, with sockets of root.
    meta skuid { root, egress } meta l4proto { tcp, udp } th dport 53 ip daddr @dns4 accept
    meta skuid { root, egress } meta l4proto { tcp, udp } th dport 53 ip6 daddr @dns6 accept
    meta skuid { root, egress } ip daddr 127.0.0.11 accept
    meta skuid root meta l4proto { tcp, udp } th dport 53 accept
    ip daddr 127.0.0.11 meta skuid != { root, egress } reject with icmp type admin-prohibited
    oifname "lo" accept
    ct state established accept
    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit } accept$held
    meta skuid egress accept
    meta nfproto ipv4 reject with icmp type admin-prohibited
    meta nfproto ipv6 reject with icmpv6 type admin-prohibited
  }
  chain input {
    type filter hook input priority 0; policy drop;
    iifname "lo" accept
    ct state established accept
    tcp dport 9222 accept
    icmp type { destination-unreachable, time-exceeded } accept
    icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert } accept
  }
}
RULES
nft list chain inet browsergrid output | grep -q 'policy drop' || fail "its rules are not there"

setpriv --reuid egress --regid egress --clear-groups --inh-caps=-all --bounding-set=-all --no-new-privs \
  env -i PATH=/usr/bin:/bin \
  EGRESS_MODE="$BROWSERGRID_EGRESS" \
  EGRESS_POOL="${BROWSERGRID_EGRESS_POOL:-}" \
  EGRESS_DENY="$BROWSERGRID_EGRESS_DENY" \
  EGRESS_ALLOW="${BROWSERGRID_EGRESS_ALLOW:-}" \
  EGRESS_UPSTREAM="${BROWSERGRID_EGRESS_UPSTREAM:-}" \
  EGRESS_CREDENTIALS="${BROWSERGRID_EGRESS_CREDENTIALS:-}" \
  sh -c 'while :; do perl /usr/local/lib/browsergrid/egress.pl; sleep 0.1; done' &
