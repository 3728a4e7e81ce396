# What Node cannot send: raw frames. One resident process for the whole life of a guard, so that an announcement costs
# a write to a pipe (measured: first answer 1.7 ms after the decision, 6.6 ms when arping is started for it). Uses only
# what perl-base holds, which every Debian has.
#
#   perl neighbour.pl INTERFACE ADDRESS [ROUTER]
#
# Commands on standard input, one a line; it ends with the end of its input:
#   announce  one gratuitous ARP as request and as reply (RFC 5227 section 3), or an unsolicited neighbour
#             advertisement with the override flag (RFC 4861 section 7.2.6)
#   probe     asks three times whether anybody has ADDRESS (RFC 5227 section 2.1.1; RFC 4862 section 5.4, at a tenth
#             of their times: those are for hosts that boot). Answers `probe free`, or `probe` and who has it.
#   router    asks up to three times for ROUTER. Answers `router yes` or `router no`.
# What goes wrong is a line `error TEXT` before the answer.
use strict;
use warnings;
use Socket qw(inet_pton AF_INET AF_INET6 SOCK_DGRAM SOCK_RAW);

# linux/if_packet.h, linux/if_ether.h, linux/sockios.h: the same on every architecture that we know.
use constant { AF_PACKET => 17, ETH_ARP => 0x0806, ETH_IPV6 => 0x86dd };
use constant { SIOCGIFADDR => 0x8915, SIOCGIFHWADDR => 0x8927, SIOCGIFINDEX => 0x8933 };
use constant { TRIES => 3, BETWEEN => 0.1, AFTER => 0.2 };

my ($interface, $address, $router) = @ARGV;
die "usage: neighbour.pl INTERFACE ADDRESS [ROUTER]\n" unless defined $address;
$| = 1;

sub packed { my ($text) = @_; inet_pton($text =~ /:/ ? AF_INET6 : AF_INET, $text) // die "no address: $text\n" }

sub is_six { length $_[0] == 16 }

sub ask_kernel {
  my ($request, $template) = @_;
  socket(my $any, AF_INET, SOCK_DGRAM, 0) or die "socket: $!\n";
  my $ifreq = pack('a16 x24', $interface);
  return undef unless ioctl($any, $request, $ifreq);
  return unpack($template, $ifreq);
}

# The interface as it is now: it may have been taken away and come back since the last command.
sub open_interface {
  my ($protocol) = @_;
  my $index = ask_kernel(SIOCGIFINDEX, 'x16 i') // die "$interface: $!\n";
  my $mac = ask_kernel(SIOCGIFHWADDR, 'x18 a6') // die "$interface: $!\n";
  # Protocol 0 receives nothing.
  socket(my $raw, AF_PACKET, SOCK_RAW, unpack('S', pack('n', $protocol))) or die "socket: $!\n";
  my $link = pack('S n i S C C a8', AF_PACKET, $protocol, $index, 0, 0, 6, '');
  if ($protocol) { bind($raw, $link) or die "bind: $!\n" }
  return { raw => $raw, link => $link, mac => $mac };
}

sub put { my ($port, $frame) = @_; defined send($port->{raw}, $frame, 0, $port->{link}) or die "send: $!\n" }

sub arp {
  my ($mac, $operation, $from, $to) = @_;
  return "\xff" x 6 . $mac . pack('n', ETH_ARP)
    . pack('n n C C n', 1, 0x0800, 6, 4, $operation) . $mac . $from . ($operation == 2 ? "\xff" x 6 : "\0" x 6) . $to;
}

# ICMPv6 in IPv6 in Ethernet, to a multicast group (RFC 2464 section 7: 33:33 and the group's last four bytes).
sub icmp6 {
  my ($mac, $from, $group, $body) = @_;
  my $sum = 0;
  $sum += $_ for unpack('n*', $from . $group . pack('N N', length $body, 58) . $body);
  $sum = ($sum & 0xffff) + ($sum >> 16) while $sum >> 16;
  substr($body, 2, 2) = pack('n', ~$sum & 0xffff);
  return "\x33\x33" . substr($group, 12) . $mac . pack('n', ETH_IPV6)
    . pack('N n C C', 0x60000000, length $body, 58, 255) . $from . $group . $body;
}

sub solicitation {
  my ($mac, $from, $target) = @_;
  my $group = packed('ff02::1:ff00:0');
  substr($group, 13) = substr($target, 13);
  # RFC 4861 section 4.3: no own link-layer address when the source is unspecified.
  my $option = $from eq "\0" x 16 ? '' : "\x01\x01$mac";
  return icmp6($mac, $from, $group, pack('C C n N', 135, 0, 0, 0) . $target . $option);
}

sub announce {
  my $port = open_interface(0);
  my $own = packed($address);
  if (is_six($own)) {
    put($port, icmp6($port->{mac}, $own, packed('ff02::1'),
      pack('C C n N', 136, 0, 0, 0x20000000) . $own . "\x02\x01$port->{mac}"));
  } else {
    put($port, arp($port->{mac}, $_, $own, $own)) for 1, 2;
  }
}

# The hardware address behind a frame that shows that somebody has, or is about to take, $target.
sub holder {
  my ($frame, $own, $target, $probing) = @_;
  my $from = substr($frame, 6, 6);
  return undef if $from eq $own || length $frame < 42;
  if (!is_six($target)) {
    my ($sender, $wanted) = (substr($frame, 28, 4), substr($frame, 38, 4));
    return $from if $sender eq $target;
    return $from if $probing && $sender eq "\0" x 4 && $wanted eq $target;
    return undef;
  }
  return undef if length $frame < 78 || ord(substr($frame, 20, 1)) != 58 || substr($frame, 62, 16) ne $target;
  my $type = ord(substr($frame, 54, 1));
  return $from if $type == 136;
  return $from if $probing && $type == 135 && substr($frame, 22, 16) eq "\0" x 16;
  return undef;
}

sub look_for {
  my ($target, $probing, $source) = @_;
  my $six = is_six($target);
  my $port = open_interface($six ? ETH_IPV6 : ETH_ARP);
  my $question = $six ? solicitation($port->{mac}, $source, $target) : arp($port->{mac}, 1, $source, $target);
  for my $try (1 .. TRIES) {
    put($port, $question);
    my $left = BETWEEN + ($try == TRIES ? AFTER : 0);
    while ($left > 0) {
      my $ready = '';
      vec($ready, fileno $port->{raw}, 1) = 1;
      (my $found, $left) = select($ready, undef, undef, $left);
      last unless $found > 0;
      next unless defined recv($port->{raw}, my $frame, 2048, 0);
      my $who = holder($frame, $port->{mac}, $target, $probing);
      return join(':', map { sprintf '%02x', ord } split(//, $who)) if defined $who;
    }
  }
  return undef;
}

sub link_local {
  open(my $list, '<', '/proc/net/if_inet6') or return "\0" x 16;
  while (<$list>) {
    my ($hex, undef, undef, $scope, undef, $name) = split ' ';
    return pack('H32', $hex) if $name eq $interface && $scope eq '20';
  }
  return "\0" x 16;
}

# A router may refuse to answer a question without a sender, so it comes from the interface's own address.
sub own_address {
  my ($six) = @_;
  return link_local() if $six;
  my ($plain) = ask_kernel(SIOCGIFADDR, 'x20 a4');
  return $plain // "\0" x 4;
}

my $rest = '';
while (sysread(STDIN, $rest, 4096, length $rest)) {
  while ($rest =~ s/^(.*)\n//) {
    my $command = $1;
    my $answer = '';
    eval {
      if ($command eq 'announce') { announce() }
      elsif ($command eq 'probe') {
        my $own = packed($address);
        my $who = look_for($own, 1, "\0" x length $own);
        $answer = 'probe ' . ($who // 'free');
      }
      elsif ($command eq 'router') {
        my $target = packed($router);
        $answer = 'router ' . (look_for($target, 0, own_address(is_six($target))) ? 'yes' : 'no');
      }
      1;
    } or do {
      print 'error ' . ($@ =~ s/\s+$//r) . "\n";
      $answer = 'probe failed' if $command eq 'probe';
      $answer = 'router no' if $command eq 'router';
    };
    print "$answer\n" if $answer ne '';
  }
}
