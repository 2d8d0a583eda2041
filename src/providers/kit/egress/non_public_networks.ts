/**
 * Networks that are not public: loopback, private, link-local, metadata, shared, multicast and reserved ones. A browser
 * whose egress is `no_private` reaches none of them, whatever the provider.
 */
export const NON_PUBLIC_NETWORKS: readonly string[] = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.31.196.0/24",
  "192.52.193.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "192.175.48.0/24",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/3",
  // Public IPv6 addresses begin with 001.
  "::/3",
  "4000::/2",
  "8000::/1",
  "2001::/23",
  "2001:db8::/32",
  // IPv4 addresses, including private ones, in IPv6 form.
  "2002::/16",
  "2620:4f:8000::/48",
  "3fff::/20",
];
