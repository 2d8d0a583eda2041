# The only network access of a container with limited egress: an HTTP proxy on loopback
# that runs as a separate user. It resolves each name, checks the addresses, and dials
# exactly a checked address. Each connection carries one request.
# Settings, from the environment, as `egress.ts` makes them:
#   EGRESS_MODE         no_private or none
#   EGRESS_POOL         name of the work pool, in Base64
#   EGRESS_DENY         denied networks
#   EGRESS_ALLOW        allowed networks and names, each with or without :port
#   EGRESS_UPSTREAM     http://host:port or socks5://host:port of a proxy for all connections
#   EGRESS_CREDENTIALS  its user name and password, in Base64
use strict;
use warnings;
use Socket qw(:DEFAULT IPPROTO_TCP TCP_NODELAY SOCK_NONBLOCK getaddrinfo inet_pton inet_ntop);
use Errno qw(EAGAIN EINTR EINPROGRESS);
use POSIX qw(:sys_wait_h);

use constant { PORT => 3128, MAX_HEAD => 65_536, CHUNK => 65_536,
  MAX_CONNECTIONS => 256, HEAD_SECONDS => 60, DIAL_SECONDS => 20 };

my $mode = $ENV{EGRESS_MODE} // 'none';
my $pool = decode($ENV{EGRESS_POOL} // '');
my @deny = map { network($_) // die "Cannot read network $_\n" }
  split ' ', $ENV{EGRESS_DENY} // '';
my @allow = map { rule($_) } split ' ', $ENV{EGRESS_ALLOW} // '';
my ($scheme, $up_host, $up_port) = upstream($ENV{EGRESS_UPSTREAM} // '');
my $credentials = $ENV{EGRESS_CREDENTIALS} // '';

$SIG{PIPE} = 'IGNORE';
# Not ignored, so that the end of a connection interrupts the wait for a client.
$SIG{CHLD} = sub { };
serve();

sub serve {
  socket(my $server, PF_INET, SOCK_STREAM, 0) or die "socket: $!\n";
  setsockopt($server, SOL_SOCKET, SO_REUSEADDR, 1);
  bind($server, pack_sockaddr_in(PORT, INADDR_LOOPBACK)) or die "bind: $!\n";
  listen($server, 128) or die "listen: $!\n";
  my $running = 0;
  for (;;) {
    while ($running > 0) {
      my $ended = waitpid(-1, $running >= MAX_CONNECTIONS ? 0 : WNOHANG);
      last if $ended <= 0;
      $running--;
    }
    my $in = '';
    vec($in, fileno($server), 1) = 1;
    # At most a second, because a child may have ended just before.
    next if select($in, undef, undef, $running ? 1 : undef) <= 0;
    accept(my $client, $server) or next;
    my $pid = fork;
    if (!defined $pid) { close $client; next }
    if ($pid) { close $client; $running++; next }
    close $server;
    eval { handle($client); 1 } or warn $@;
    exit 0;
  }
}

# One request: `CONNECT host:port` becomes a tunnel, `GET http://…` one exchange.
sub handle {
  my ($client) = @_;
  fast($client);
  my ($head, $rest) = read_head($client, HEAD_SECONDS) or return;
  my ($line, @headers) = split /\r?\n/, $head;
  my ($method, $target, $version) = split / /, $line, 3;
  my $is_tunnel = ($method // '') eq 'CONNECT';
  my ($host, $port, $path) = $is_tunnel
    ? authority($target // '', undef) : absolute($target // '');
  return answer($client, 400, 'Bad request')
    if !defined $host || !$port || $port > 65_535;
  my ($server, $why, $name) = defined $scheme
    ? through($host, $port) : direct($host, $port);
  return reject($client, $is_tunnel, $why) if !$server;
  my $is_relayed = defined $scheme && $scheme eq 'http';
  if ($is_tunnel) {
    my $to = place($name // $host, $port);
    my $ask = "CONNECT $to HTTP/1.1\r\nHost: $to\r\n" . authorization() . "\r\n";
    send_all($is_relayed ? $server : $client,
      $is_relayed ? $ask : "HTTP/1.1 200 Connection established\r\n\r\n") or return;
    return splice_both($client, $server, $rest);
  }
  my @kept = grep { !/^(proxy-\S*|connection|keep-alive)\s*:/i } @headers;
  my $asked = $is_relayed ? 'http://' . place($name, $port) . $path : $path;
  my $last = $is_relayed ? authorization() : '';
  send_all($server, join("\r\n", "$method $asked HTTP/1.1", @kept,
    "Connection: close", $last . "\r\n")) or return;
  splice_both($client, $server, $rest, 1);
}

sub authorization {
  return $credentials eq '' ? '' : "Proxy-Authorization: Basic $credentials\r\n";
}

# Dials the target directly. Returns (socket) or (undef, reason).
sub direct {
  my ($host, $port) = @_;
  my ($why, @addresses) = allowed($host, $port);
  return (undef, $why) if !@addresses;
  for my $address (@addresses) {
    my $socket = dial($address, $port);
    return ($socket) if $socket;
  }
  return (undef, 'unreachable');
}

# Dials the session's proxy, whose address must be allowed like any other. A proxy on the internet resolves
# names itself; a proxy at a private address receives an allowed address. Returns (socket, undef, name of the target).
sub through {
  my ($host, $port) = @_;
  my ($why, @addresses) = allowed($up_host, $up_port);
  return (undef, $why) if !@addresses;
  my $is_near = grep { my $address = $_; grep { within($address, $_) } @deny } @addresses;
  my $name = $host;
  if ($is_near || defined packed($host)) {
    ($why, my @targets) = allowed($host, $port);
    return (undef, $why) if !@targets;
    $name = inet_ntop(length $targets[0] == 4 ? AF_INET : AF_INET6, $targets[0]);
  }
  for my $address (@addresses) {
    my $server = dial($address, $up_port) or next;
    return ($server, undef, $name) if $scheme eq 'http' || socks($server, $name, $port);
  }
  return (undef, 'unreachable');
}

sub socks {
  my ($server, $host, $port) = @_;
  my $pair = decode($credentials);
  my ($user, $password) = split /:/, $pair, 2;
  send_all($server, $pair eq '' ? "\5\1\0" : "\5\2\0\2") or return;
  my $choice = read_exactly($server, 2) // return;
  if ($choice eq "\5\2") {
    send_all($server, "\1" . pack('C/a* C/a*', $user // '', $password // '')) or return;
    my $verdict = read_exactly($server, 2) // return;
    return if substr($verdict, 1) ne "\0";
  } elsif ($choice ne "\5\0") { return }
  my $address = packed($host);
  my $to = !defined $address ? "\3" . pack('C/a*', $host)
    : (length $address == 4 ? "\1" : "\4") . $address;
  send_all($server, "\5\1\0" . $to . pack('n', $port)) or return;
  my $reply = read_exactly($server, 5) // return;
  my ($ok, $kind, $length) = unpack 'x C x C C', $reply;
  my $left = $kind == 1 ? 5 : $kind == 4 ? 17 : $length + 2;
  return defined read_exactly($server, $left) && $ok == 0;
}

# Returns (reason) or ('', addresses): the allowed addresses of the host.
sub allowed {
  my ($host, $port) = @_;
  my $name = lc $host;
  $name =~ s/\.$//;
  my $literal = packed($host);
  my $is_named = grep { names($_, $name, $port) } @allow;
  my $may_be = $is_named || $mode ne 'none' || grep { $_->{bits} } @allow;
  return (sentence($host, $port, 'not in the list')) if !$may_be;
  my @all = defined $literal ? ($literal) : resolve($host);
  return ('unresolved') if !@all;
  my @good = grep { $is_named || is_allowed($_, $port) } map { reached($_) } @all;
  return @good ? ('', @good)
    : (sentence($host, $port, 'not a public address'));
}

sub is_allowed {
  my ($address, $port) = @_;
  return 1 if grep { $_->{bits} && (!$_->{port} || $_->{port} == $port)
    && within($address, $_->{bits}) } @allow;
  return !grep { within($address, $_) } @deny;
}

sub names {
  my ($rule, $name, $port) = @_;
  return if $rule->{bits} || ($rule->{port} && $rule->{port} != $port);
  return defined $rule->{suffix}
    ? length $name > length $rule->{suffix}
      && substr($name, -length $rule->{suffix}) eq $rule->{suffix}
    : $name eq $rule->{name};
}

# Converts an IPv4 address in IPv6 form to IPv4.
sub reached {
  my ($address) = @_;
  return $address if length $address == 4;
  my $mapped = "\0" x 10 . "\xff\xff";
  my $nat64 = "\0\x64\xff\x9b" . "\0" x 8;
  my $prefix = substr $address, 0, 12;
  return $prefix eq $mapped || $prefix eq $nat64 ? substr($address, 12) : $address;
}

sub resolve {
  my ($host) = @_;
  my ($error, @found) = getaddrinfo($host, '', { socktype => SOCK_STREAM });
  return if $error;
  return map { $_->{family} == AF_INET ? (unpack_sockaddr_in($_->{addr}))[1]
    : (Socket::unpack_sockaddr_in6($_->{addr}))[1] } @found;
}

sub dial {
  my ($address, $port) = @_;
  my $is4 = length $address == 4;
  socket(my $socket, $is4 ? PF_INET : PF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0) or return;
  my $to = $is4 ? pack_sockaddr_in($port, $address)
    : Socket::pack_sockaddr_in6($port, $address);
  if (!connect($socket, $to)) {
    return if $! != EINPROGRESS;
    my $out = '';
    vec($out, fileno($socket), 1) = 1;
    return if select(undef, $out, undef, DIAL_SECONDS) <= 0;
    return if unpack 'i', getsockopt($socket, SOL_SOCKET, SO_ERROR);
  }
  fast($socket);
  return $socket;
}

sub fast {
  my ($socket) = @_;
  setsockopt($socket, IPPROTO_TCP, TCP_NODELAY, 1);
  setsockopt($socket, SOL_SOCKET, SO_KEEPALIVE, 1);
  nonblocking($socket);
}

sub nonblocking {
  use Fcntl qw(F_GETFL F_SETFL O_NONBLOCK);
  my ($socket) = @_;
  fcntl($socket, F_SETFL, fcntl($socket, F_GETFL, 0) | O_NONBLOCK);
}

# Copies both ways until both sides have ended. With $is_exchange the response's head closes the connection.
sub splice_both {
  my ($client, $server, $to_server, $is_exchange) = @_;
  my @ends = ({ from => $client, to => $server, data => $to_server, open => 1 },
    { from => $server, to => $client, data => '', open => 1, head => $is_exchange });
  for (;;) {
    my ($in, $out) = ('', '');
    my $waits = 0;
    for my $end (@ends) {
      next if !$end->{open} && $end->{data} eq '';
      if ($end->{data} ne '' && !$end->{head}) { vec($out, fileno($end->{to}), 1) = 1; $waits = 1 }
      elsif ($end->{open}) { vec($in, fileno($end->{from}), 1) = 1; $waits = 1 }
    }
    return if !$waits;
    my $ready = select($in, $out, undef, undef);
    if ($ready < 0) { next if $! == EINTR; return }
    for my $end (@ends) {
      if ($end->{open} && vec($in, fileno($end->{from}), 1)) {
        my $read = sysread($end->{from}, $end->{data}, CHUNK, length $end->{data});
        next if !defined $read && ($! == EAGAIN || $! == EINTR);
        return if !defined $read;
        $end->{open} = 0 if $read == 0;
        rewrite_head($end) if $end->{head};
      }
      if ($end->{data} ne '' && !$end->{head} && vec($out, fileno($end->{to}), 1)) {
        my $written = syswrite($end->{to}, $end->{data});
        next if !defined $written && ($! == EAGAIN || $! == EINTR);
        return if !defined $written;
        substr($end->{data}, 0, $written) = '';
      }
      if (!$end->{open} && $end->{data} eq '' && !$end->{shut}++) {
        return if $end->{from} == $server && $is_exchange;
        shutdown($end->{to}, 1);
      }
    }
  }
}

# Adds Connection: close, because the browser's next request on the connection could be for another host.
sub rewrite_head {
  my ($end) = @_;
  for (;;) {
    my $at = index $end->{data}, "\r\n\r\n";
    if ($at < 0) {
      $end->{head} = 0 if !$end->{open} || length $end->{data} > MAX_HEAD;
      return;
    }
    my $start = $end->{at} // 0;
    $at = index $end->{data}, "\r\n\r\n", $start;
    return if $at < 0;
    my $head = substr $end->{data}, $start, $at - $start;
    my ($status, @headers) = split /\r\n/, $head;
    # Interim responses are forwarded unchanged.
    if ($status =~ m{^HTTP/1\.\d 1(?!01)\d\d}) { $end->{at} = $at + 4; next }
    my @kept = grep { !/^(connection|keep-alive|proxy-connection)\s*:/i } @headers;
    substr($end->{data}, $start, $at - $start) =
      join "\r\n", $status, @kept, 'Connection: close';
    $end->{head} = 0;
    return;
  }
}

sub read_head {
  my ($socket, $seconds) = @_;
  my $data = '';
  my $until = time + $seconds;
  while (length $data <= MAX_HEAD) {
    my $at = index $data, "\r\n\r\n";
    return (substr($data, 0, $at), substr($data, $at + 4)) if $at >= 0;
    read_some($socket, \$data, CHUNK, $until) or return;
  }
  return;
}

sub read_exactly {
  my ($socket, $length) = @_;
  my $data = '';
  my $until = time + DIAL_SECONDS;
  while (length $data < $length) {
    read_some($socket, \$data, $length - length $data, $until) or return;
  }
  return $data;
}

sub read_some {
  my ($socket, $data, $most, $until) = @_;
  my $in = '';
  vec($in, fileno($socket), 1) = 1;
  my $left = $until - time;
  return if $left <= 0 || select($in, undef, undef, $left) <= 0;
  return sysread($socket, $$data, $most, length $$data);
}

sub send_all {
  my ($socket, $text) = @_;
  while ($text ne '') {
    my $written = syswrite($socket, $text);
    if (defined $written) { substr($text, 0, $written) = ''; next }
    return if $! != EAGAIN && $! != EINTR;
    my $out = '';
    vec($out, fileno($socket), 1) = 1;
    return if select(undef, $out, undef, DIAL_SECONDS) <= 0;
  }
  return 1;
}

sub place {
  my ($host, $port) = @_;
  return $host =~ /:/ ? "[$host]:$port" : "$host:$port";
}

sub sentence {
  my ($host, $port, $is) = @_;
  my $place = place(length $host > 100 ? substr($host, 0, 100) . '...' : $host, $port);
  return "Cannot connect to $place: it is $is, and the egress of work pool "
    . "\"$pool\" is $mode, expected an entry of the pool's egress_allow";
}

sub reject {
  my ($client, $is_tunnel, $why) = @_;
  return answer($client, 502, 'Cannot connect: the name has no address') if $why eq 'unresolved';
  return answer($client, 502, 'Cannot connect: the server does not answer') if $why eq 'unreachable';
  answer($client, 403, $why);
}

# The sentence is also in the reason phrase, the only part that a tunnel's client sees.
sub answer {
  my ($client, $status, $sentence) = @_;
  my $reason = $sentence;
  $reason =~ s/[^\x20-\x7e]+/?/g;
  my $html = $sentence;
  my %names = ('&' => '&amp;', '<' => '&lt;', '>' => '&gt;', '"' => '&quot;');
  $html =~ s/([&<>"])/$names{$1}/g;
  my $title = $status == 403 ? 'Rejected by the work pool' : 'No connection';
  my $body = "<!doctype html><meta charset=utf-8><title>$title</title><h1>$title</h1><p>$html</p>\n";
  send_all($client, "HTTP/1.1 $status $reason\r\nContent-Type: text/html; charset=utf-8\r\n"
    . "Cache-Control: no-store\r\nConnection: close\r\nContent-Length: "
    . length($body) . "\r\n\r\n$body");
  shutdown($client, 1);
  # Unread data would turn the response into a reset.
  my $rest = '';
  my $until = time + 2;
  while (read_some($client, \$rest, CHUNK, $until)) { $rest = '' }
}

# Parses `host:port` or `[v6]:port`, with a default for a missing port.
sub authority {
  my ($text, $default) = @_;
  return ($1, $2 // $default) if $text =~ /^\[([0-9A-Fa-f:.]+)\](?::(\d{1,5}))?$/;
  return ($1, $2 // $default) if $text =~ /^([^\s:\/\@\[\]]{1,255})(?::(\d{1,5}))?$/;
  return;
}

sub absolute {
  my ($text) = @_;
  my ($authority, $path) = $text =~ m{^http://([^/?#]+)([/?]\S*)?$}i or return;
  $authority =~ s/^.*\@//;
  my ($host, $port) = authority($authority, 80);
  $path = defined $path ? $path =~ m{^/} ? $path : "/$path" : '/';
  return ($host, $port, $path);
}

sub upstream {
  my ($text) = @_;
  my ($kind, $rest) = $text =~ m{^(http|socks5)://(.+)$} or return;
  return ($kind, authority($rest, $kind eq 'http' ? 80 : 1080));
}

# Parses an address to bytes; undef if it is a name. Short forms such as "127.1" are names for the resolver.
sub packed {
  my ($text) = @_;
  return inet_pton(AF_INET6, $text) if $text =~ /:/;
  return $text =~ /^\d+\.\d+\.\d+\.\d+$/ ? inet_pton(AF_INET, $text) : undef;
}

# Parses `10.0.0.0/8` or an address to a string of bits.
sub network {
  my ($text) = @_;
  my ($address, $bits) = split m{/}, $text;
  my $bytes = packed($address) // return;
  my $all = unpack 'B*', $bytes;
  return { length => length $bytes, bits => substr $all, 0, $bits // length $all };
}

sub within {
  my ($address, $network) = @_;
  return if length $address != $network->{length};
  my $bits = $network->{bits};
  return substr(unpack('B*', $address), 0, length $bits) eq $bits;
}

sub rule {
  my ($text) = @_;
  my ($inner, $port) = $text =~ /^\[(.+)\](?::(\d+))?$/;
  ($inner, $port) = $text =~ /^([^:]+)(?::(\d+))?$/ if !defined $inner;
  $inner //= $text;
  my $network = network($inner);
  return { bits => $network, port => $port } if $network;
  $inner = lc $inner;
  $inner =~ s/\.$//;
  return $inner =~ s/^\*\././ ? { suffix => $inner, port => $port }
    : { name => $inner, port => $port };
}

sub decode {
  my ($text) = @_;
  return '' if $text eq '';
  return unpack 'u', join '', map { chr(32 + length($_) * 3 / 4) . $_ }
    map { tr{A-Za-z0-9+/}{ -_}; $_ } ($text =~ tr/A-Za-z0-9+\///cdr) =~ /(.{1,60})/g;
}
