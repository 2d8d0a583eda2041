#!/usr/bin/perl
# A window manager without decorations, for the windows of one browser on a virtual screen.
#
# Without a window manager, windows cannot be maximized. Chromium makes a window of the size of the screen one pixel
# smaller, so that a window manager does not take it for fullscreen. It speaks X11 directly and needs only Perl.
#
# Reads DISPLAY and XAUTHORITY, prints "ready" when it manages the screen, and ends with the display.
#
# https://www.x.org/releases/current/doc/xproto/x11protocol.html
# https://specifications.freedesktop.org/wm-spec/latest/
use strict;
use warnings;
use Socket;

use constant { MAP_REQUEST => 20, CONFIGURE_REQUEST => 23, CLIENT_MESSAGE => 33 };
use constant { CREATED => 16, DESTROYED => 17, CONFIGURED => 22 };
use constant { NORMAL => 1, ICONIC => 3 };

$SIG{$_} = 'IGNORE' for qw(INT HUP PIPE);

my $requests = 0;
my $redirecting = -1;
my @queue;
my ($number) = ($ENV{DISPLAY} // '') =~ /^:(\d+)/ or die "DISPLAY is no local display\n";
socket(my $server, PF_UNIX, SOCK_STREAM, 0) or die "no socket: $!\n";
connect($server, sockaddr_un("/tmp/.X11-unix/X$number")) or die "no display :$number: $!\n";
my ($root, $width, $height, $own) = connect_display();
my %atom = map { $_ => intern($_) } qw(
  ATOM CARDINAL WINDOW UTF8_STRING WM_STATE WM_CHANGE_STATE
  _NET_SUPPORTED _NET_SUPPORTING_WM_CHECK _NET_WM_NAME _NET_WORKAREA _NET_NUMBER_OF_DESKTOPS
  _NET_CURRENT_DESKTOP _NET_WM_STATE _NET_WM_STATE_MAXIMIZED_VERT _NET_WM_STATE_MAXIMIZED_HORZ
  _NET_WM_STATE_FULLSCREEN _NET_WM_STATE_HIDDEN
);
my %name = reverse %atom;
my @states = map { $atom{"_NET_WM_STATE_$_"} } qw(MAXIMIZED_VERT MAXIMIZED_HORZ FULLSCREEN);
# State of each window: at => [x, y, width, height], normal => the same before it filled the screen,
# state => {atom => 1}, iconic.
my %windows;

manage_screen();
$| = 1;
print "ready\n";
close STDOUT;
handle(next_event()) while 1;

sub handle {
  my ($event) = @_;
  my $type = ord($event) & 0x7f;
  my ($first, $window) = unpack 'x4 V V', $event;
  if ($type == CREATED) {
    $windows{$window} = { at => [unpack 'x12 s<2 v2', $event], state => {} };
  } elsif ($type == CONFIGURED) {
    $windows{$window}{at} = [unpack 'x16 s<2 v2', $event] if $windows{$window};
  } elsif ($type == DESTROYED) {
    delete $windows{$window};
  } elsif ($type == MAP_REQUEST) {
    show($window);
  } elsif ($type == CONFIGURE_REQUEST) {
    configure($window, $event);
  } elsif ($type == CLIENT_MESSAGE) {
    obey($first, $window, unpack 'x12 V3', $event);
  }
}

sub show {
  my ($window) = @_;
  my $it = $windows{$window} or return;
  my %asked = map { $_ => 1 } property($window, $atom{_NET_WM_STATE});
  $it->{state} = { map { $_ => 1 } grep { $asked{$_} } @states } unless $it->{iconic};
  $it->{iconic} = 0;
  $it->{normal} //= [whole(@{ $it->{at} })];
  place($window);
  tell_state($window);
  request(8, 0, pack 'V', $window);
}

# Handles a request to move or resize a window. While the window fills the screen, the request only sets its normal place.
sub configure {
  my ($window, $event) = @_;
  my $it = $windows{$window} or return;
  my ($x, $y, $w, $h, $mask) = unpack 'x16 s<2 v2 x2 v', $event;
  my $before = $it->{normal} // $it->{at};
  my @asked = (
    $mask & 1 ? $x : $before->[0],
    $mask & 2 ? $y : $before->[1],
    $mask & 4 ? $w : $before->[2],
    $mask & 8 ? $h : $before->[3],
  );
  $it->{normal} = [$mask & 12 ? whole(@asked) : @asked];
  place($window);
  return if !($mask & 64);
  # Chromium shows a minimized window again by raising it.
  show($window) if $it->{iconic};
  request(12, 0, pack 'V v x2 V', $window, 64, unpack 'x C', $event);
}

# Restores the pixel that Chromium removes from a window of the size of the screen.
sub whole {
  my ($x, $y, $w, $h) = @_;
  return $w == $width - 1 && $h == $height - 1 ? ($x, $y, $width, $height) : ($x, $y, $w, $h);
}

sub place {
  my ($window) = @_;
  my $it = $windows{$window};
  my ($x, $y, $w, $h) = @{ $it->{normal} };
  my ($vertical, $horizontal, $full) = map { $it->{state}{$_} } @states;
  ($x, $w) = (0, $width) if $horizontal || $full;
  ($y, $h) = (0, $height) if $vertical || $full;
  request(12, 0, pack 'V v x2 l<2 V2', $window, 15, $x, $y, $w, $h);
  # Also sent if nothing changes, because the client waits for it.
  my $event = pack 'C x v V V V s<2 v3 C x5', CONFIGURED, 0, $window, $window, 0, $x, $y, $w, $h, 0, 0;
  request(25, 0, (pack 'V V', $window, 1 << 17) . $event);
}

sub obey {
  my ($window, $type, $what, @which) = @_;
  my $it = $windows{$window} or return;
  my $message = $name{$type} // '';
  if ($message eq '_NET_WM_STATE') {
    for my $state (grep { my $each = $_; grep { $_ == $each } @states } @which) {
      my $on = $what == 2 ? !$it->{state}{$state} : $what == 1;
      if ($on) { $it->{state}{$state} = 1 } else { delete $it->{state}{$state} }
    }
    $it->{normal} //= $it->{at};
    place($window);
    tell_state($window);
  } elsif ($message eq 'WM_CHANGE_STATE' && $what == ICONIC) {
    $it->{iconic} = 1;
    request(10, 0, pack 'V', $window);
    tell_state($window);
  }
}

sub tell_state {
  my ($window) = @_;
  my $it = $windows{$window};
  my @atoms = ((grep { $it->{state}{$_} } @states), $it->{iconic} ? $atom{_NET_WM_STATE_HIDDEN} : ());
  set_property($window, '_NET_WM_STATE', 'ATOM', @atoms);
  set_property($window, 'WM_STATE', 'WM_STATE', $it->{iconic} ? ICONIC : NORMAL, 0);
}

sub manage_screen {
  # Redirects the structure of the screen's windows, which only one client may do.
  $redirecting = request(2, 0, pack 'V3', $root, 0x800, (1 << 20) | (1 << 19));
  my $check = $own;
  request(1, 0, pack 'V2 s<2 v4 V V2', $check, $root, -1, -1, 1, 1, 0, 2, 0, 0x200, 1);
  set_property($_, '_NET_SUPPORTING_WM_CHECK', 'WINDOW', $check) for $root, $check;
  set_text($check, '_NET_WM_NAME', 'browsergrid');
  # Without _NET_ACTIVE_WINDOW Chromium sets the focus itself, and the page of a new window has it at once.
  set_property($root, '_NET_SUPPORTED', 'ATOM', map { $atom{$_} } grep { /^_NET_WM_STATE/ } sort keys %atom);
  set_property($root, '_NET_NUMBER_OF_DESKTOPS', 'CARDINAL', 1);
  set_property($root, '_NET_CURRENT_DESKTOP', 'CARDINAL', 0);
  set_property($root, '_NET_WORKAREA', 'CARDINAL', 0, 0, $width, $height);
  # Waits until the display has processed these requests.
  property($root, $atom{_NET_WORKAREA});
}

sub set_property {
  my ($window, $property, $type, @values) = @_;
  request(18, 0, pack 'V3 C x3 V V*', $window, $atom{$property}, $atom{$type}, 32, scalar @values, @values);
}

sub set_text {
  my ($window, $property, $text) = @_;
  request(18, 0, padded(pack 'V3 C x3 V a*', $window, $atom{$property}, $atom{UTF8_STRING}, 8, length $text, $text));
}

# Returns the values of a property, at most 64.
sub property {
  my ($window, $property) = @_;
  my $reply = ask(20, 0, pack 'V5', $window, $property, 0, 0, 64) // return;
  my ($format, $count) = unpack 'x C x14 V', $reply;
  return $format == 32 ? unpack "x32 V$count", $reply : ();
}

sub intern {
  my ($text) = @_;
  return unpack 'x8 V', ask(16, 0, padded(pack 'v x2 a*', length $text, $text)) // die "no atoms\n";
}

# Returns the reply to a request, or undef for an error. Events before the reply are queued; errors of other requests
# concern windows that are gone.
sub ask {
  my $asked = request(@_);
  while (1) {
    my $message = message();
    my ($type, $number) = unpack 'C x v', $message;
    if ($type > 1) {
      push @queue, $message;
    } elsif ($number == ($asked & 0xffff)) {
      return $type == 1 ? $message : undef;
    } elsif ($type == 0 && $number == $redirecting) {
      die "Cannot manage the screen: another window manager does\n";
    }
  }
}

sub next_event {
  return shift @queue // message();
}

sub message {
  my $head = take(32);
  return ord($head) == 1 ? $head . take(4 * unpack 'x4 V', $head) : $head;
}

# Sends a request and returns its number, which its reply or error contains.
sub request {
  my ($opcode, $data, $body) = @_;
  put(pack('C C v', $opcode, $data, 1 + length($body) / 4) . $body);
  return ++$requests;
}

sub connect_display {
  my ($protocol, $cookie) = authority();
  put(pack('a x v4 x2', 'l', 11, 0, length $protocol, length $cookie) . padded($protocol) . padded($cookie));
  my ($status, $size) = unpack 'C x5 v', (my $head = take(8));
  my $body = take(4 * $size);
  die "the display refuses: $body\n" if $status != 1;
  my ($base, $vendor, $formats) = unpack 'x4 V x8 v x3 C', $body;
  my $screen = substr $body, 32 + 4 * int(($vendor + 3) / 4) + 8 * $formats;
  my ($root, $width, $height) = unpack 'V x16 v2', $screen;
  return ($root, $width, $height, $base);
}

# Returns the protocol and secret of the display: the first entry of its file.
sub authority {
  open(my $file, '<:raw', $ENV{XAUTHORITY} // '') or return ('', '');
  local $/;
  my (undef, undef, undef, $protocol, $cookie) = unpack 'n n/a n/a n/a n/a', <$file>;
  return ($protocol, $cookie);
}

sub padded {
  my ($bytes) = @_;
  return $bytes . "\0" x (-length($bytes) % 4);
}

sub put {
  my ($bytes) = @_;
  while (length $bytes) {
    my $written = syswrite $server, $bytes or exit;
    substr $bytes, 0, $written, '';
  }
}

sub take {
  my ($size) = @_;
  my $bytes = '';
  while (length $bytes < $size) {
    # The display has ended.
    sysread($server, $bytes, $size - length $bytes, length $bytes) or exit;
  }
  return $bytes;
}
