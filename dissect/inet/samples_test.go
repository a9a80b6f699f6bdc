package inet_test

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/odxray/odxray/captures/linktype"
	"github.com/odxray/odxray/dissect/inet"
)

// The helpers below put frames together by hand, so that each may lie in its own way.

var be = binary.BigEndian

func cat(parts ...[]byte) []byte { return slices.Concat(parts...) }

// eth is Ethernet; its addresses are locally administered, for those have no maker.
func eth(t uint16, payload []byte) []byte {
	return cat([]byte{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2}, be.AppendUint16(nil, t), payload)
}

// ip4 is IPv4. Its fields are changed with put.
func ip4(proto uint8, options string, payload []byte) []byte {
	b := []byte{0x45 + byte(len(options)/4), 0, 0, 0, 0x12, 0x34, 0x40, 0, 64, proto, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2}
	be.PutUint16(b[2:], uint16(20+len(options)+len(payload)))
	return cat(b, []byte(options), payload)
}

// ip6 is IPv6. size is its payload length; -1 for the true one.
func ip6(next uint8, size int, payload []byte) []byte {
	if size < 0 {
		size = len(payload)
	}
	b := make([]byte, 40)
	be.PutUint32(b, 6<<28|0x2e<<22|0x12345)
	be.PutUint16(b[4:], uint16(size))
	b[6], b[7], b[8], b[23], b[24], b[39] = next, 64, 0xfd, 1, 0xfd, 2
	return cat(b, payload)
}

func tcp(flags inet.TCPFlags, options, payload string) []byte {
	b := make([]byte, 20)
	be.PutUint16(b, 40000)
	be.PutUint16(b[2:], 445)
	be.PutUint32(b[4:], 0xfffffff0)
	if flags&inet.ACK != 0 {
		be.PutUint32(b[8:], 5000)
	}
	be.PutUint16(b[12:], uint16(5+(len(options)+3)/4)<<12|uint16(flags))
	be.PutUint16(b[14:], 1000)
	be.PutUint16(b[16:], 0xbeef)
	return cat(b, []byte(options+strings.Repeat("\x00", -len(options)&3)), []byte(payload))
}

func udp(src, dst uint16, size int, payload []byte) []byte {
	if size < 0 {
		size = 8 + len(payload)
	}
	return cat(be.AppendUint16(be.AppendUint16(be.AppendUint16(nil, src), dst), uint16(size)), []byte{0xbe, 0xef}, payload)
}

// summed sets the checksum of an ICMP message.
func summed(b []byte) []byte {
	var sum uint32
	for i := 0; i < len(b); i += 2 {
		sum += uint32(be.Uint16(b[i:]))
	}
	be.PutUint16(b[2:], ^uint16(sum>>16+sum))
	return b
}

// put overwrites b at off.
func put(b []byte, off int, v ...byte) []byte {
	copy(b[off:], v)
	return b
}

var ack = tcp(inet.ACK, "", "")

type sample struct {
	name string
	link linktype.Type
	b    []byte

	kind    inet.Kind
	bad     bool // Malformed
	payload int  // PayloadLen
	proto   string
	info    string

	differs string // why tshark's tree is another
}

const (
	ethernet = linktype.Ethernet
	raw      = linktype.Raw
)

var samples = []sample{
	{name: "tcp_segment", link: ethernet, b: eth(0x0800, ip4(6, "", tcp(inet.PSH|inet.ACK|inet.URG, "\x01\x01\x08\x0a\x00\x00\x00\x01\x00\x00\x00\x02", "hello"))),
		kind: inet.TCP, payload: 5, proto: "TCP", info: "40000 → 445 [PSH, ACK, URG] Seq=4294967280 Ack=5000 Win=1000 Urg=0 Len=5 TSval=1 TSecr=2"},
	{name: "tcp_syn", link: ethernet, b: eth(0x0800, ip4(6, "", tcp(inet.SYN, "\x02\x04\x05\xb4\x01\x03\x03\x08\x01\x01\x04\x02", ""))),
		kind: inet.TCP, proto: "TCP", info: "40000 → 445 [SYN] Seq=4294967280 Win=1000 Len=0 MSS=1460 WS=256 SACK_PERM"},
	{name: "tcp_all_flags", link: ethernet, b: eth(0x0800, ip4(6, "", tcp(0xfff, "", ""))),
		kind: inet.TCP, proto: "TCP", info: "40000 → 445 [FIN, SYN, RST, PSH, ACK, URG, ECE, CWR, AE, Reserved] Seq=4294967280 Ack=5000 Win=1000 Urg=0 Len=0"},
	{name: "tcp_no_flags", link: ethernet, b: eth(0x0800, ip4(6, "", tcp(0, "", ""))),
		kind: inet.TCP, proto: "TCP", info: "40000 → 445 [<None>] Seq=4294967280 Win=1000 Len=0"},
	{name: "tcp_sack", link: ethernet, b: eth(0x0800, ip4(6, "", tcp(inet.ACK, "\x01\x01\x05\x12\x00\x00\x20\x00\x00\x00\x30\x00\x00\x00\x40\x00\x00\x00\x50\x00", ""))),
		kind: inet.TCP, proto: "TCP", info: "40000 → 445 [ACK] Seq=4294967280 Ack=5000 Win=1000 Len=0 SLE=8192 SRE=12288 SLE=16384 SRE=20480"},
	{name: "tcp_reset", link: ethernet, b: eth(0x0800, ip4(6, "", put(tcp(inet.RST, "", ""), 8, 1, 2, 3, 4))),
		kind: inet.TCP, proto: "TCP", info: "40000 → 445 [RST] Seq=4294967280 Win=1000 Len=0"},
	{name: "tcp_end_of_options", link: ethernet, b: eth(0x0800, ip4(6, "", tcp(inet.SYN, "\x02\x04\x05\xb4\x03\x03\x08\x00", ""))),
		kind: inet.TCP, proto: "TCP", info: "40000 → 445 [SYN] Seq=4294967280 Win=1000 Len=0 MSS=1460 WS=256"},
	{name: "tcp_option_too_long", link: ethernet, b: eth(0x0800, ip4(6, "", tcp(inet.ACK, "\x08\x20\x00\x00", "data"))),
		kind: inet.TCP, bad: true, payload: 4, proto: "TCP", info: "40000 → 445 [ACK] Seq=4294967280 Ack=5000 Win=1000 Len=4", differs: "the rest of the options is not read"},
	{name: "tcp_option_of_no_length", link: ethernet, b: eth(0x0800, ip4(6, "", tcp(inet.ACK, "\x03\x00\x00\x00", "data"))),
		kind: inet.TCP, bad: true, payload: 4, proto: "TCP", info: "40000 → 445 [ACK] Seq=4294967280 Ack=5000 Win=1000 Len=4", differs: "the rest of the options is not read"},
	{name: "tcp_unknown_option", link: ethernet, b: eth(0x0800, ip4(6, "", tcp(inet.ACK, "\xc8\x05\x01\x02\x03", "data"))),
		kind: inet.TCP, payload: 4, proto: "TCP", info: "40000 → 445 [ACK] Seq=4294967280 Ack=5000 Win=1000 Len=4", differs: "a reserved option prints alike"},
	{name: "tcp_header_too_short", link: ethernet, b: eth(0x0800, ip4(6, "", put(tcp(inet.ACK, "", "data"), 12, 0x30))),
		kind: inet.TCP, bad: true, proto: "TCP", info: "40000 → 445 [ACK] Seq=4294967280 Ack=5000 Win=1000 Len=0", differs: "tshark stops in the middle"},
	{name: "tcp_header_past_the_packet", link: ethernet, b: eth(0x0800, ip4(6, "", put(tcp(inet.ACK, "", "data"), 12, 0xf0))),
		kind: inet.TCP, bad: true, proto: "TCP", info: "40000 → 445 [ACK] Seq=4294967280 Ack=5000 Win=1000 Len=0", differs: "tshark stops in the middle"},
	{name: "padding", link: ethernet, b: cat(eth(0x0800, ip4(6, "", ack)), make([]byte, 6)),
		kind: inet.TCP, proto: "TCP", info: "40000 → 445 [ACK] Seq=4294967280 Ack=5000 Win=1000 Len=0"},
	{name: "trailer", link: ethernet, b: cat(eth(0x0800, ip4(6, "", tcp(inet.ACK, "", "0123456789"))), []byte{1, 2, 3, 4, 5, 6, 7, 8}),
		kind: inet.TCP, payload: 10, proto: "TCP", info: "40000 → 445 [ACK] Seq=4294967280 Ack=5000 Win=1000 Len=10"},
	{name: "padding_of_other_than_zeros", link: ethernet, b: cat(eth(0x0800, ip4(6, "", ack)), []byte{1, 2, 3, 4, 5, 6}),
		kind: inet.TCP, proto: "TCP", info: "40000 → 445 [ACK] Seq=4294967280 Ack=5000 Win=1000 Len=0"},
	{name: "padding_and_check_sequence", link: ethernet, b: cat(eth(0x0800, ip4(6, "", ack)), []byte{0, 0, 0, 0, 0, 0, 0xca, 0xfe, 0xba, 0xbe}),
		kind: inet.TCP, proto: "TCP", info: "40000 → 445 [ACK] Seq=4294967280 Ack=5000 Win=1000 Len=0"},
	{name: "trailer_of_a_tag", link: ethernet, b: cat(eth(0x8100, cat([]byte{0, 10, 0x08, 0}, ip4(6, "", ack))), []byte{0, 0, 1, 2}),
		kind: inet.TCP, proto: "TCP", info: "40000 → 445 [ACK] Seq=4294967280 Ack=5000 Win=1000 Len=0"},
	{name: "total_length_0", link: ethernet, b: put(eth(0x0800, ip4(6, "", tcp(inet.ACK, "", "offloaded"))), 16, 0, 0),
		kind: inet.TCP, payload: 9, proto: "TCP", info: "40000 → 445 [ACK] Seq=4294967280 Ack=5000 Win=1000 Len=9"},
	{name: "total_length_below_header", link: ethernet, b: put(eth(0x0800, ip4(6, "", ack)), 16, 0, 10),
		kind: inet.IP, bad: true, proto: "TCP", info: "[Malformed Packet]", differs: "tshark stops in the middle"},
	{name: "total_length_past_the_frame", link: ethernet, b: put(eth(0x0800, ip4(6, "", tcp(inet.ACK, "", "data"))), 16, 0x40, 0),
		kind: inet.TCP, bad: true, payload: 4, proto: "TCP", info: "40000 → 445 [ACK] Seq=4294967280 Ack=5000 Win=1000 Len=4"},
	{name: "ip_header_too_short", link: ethernet, b: put(eth(0x0800, ip4(6, "", ack)), 14, 0x44),
		kind: inet.IP, bad: true, payload: 20, proto: "TCP", info: "[Malformed Packet]", differs: "tshark stops in the middle"},
	{name: "ip_options", link: ethernet, b: eth(0x0800, ip4(6, "\x94\x04\x00\x00\x01\x00\x00\x00", ack)),
		kind: inet.TCP, proto: "TCP", info: "40000 → 445 [ACK] Seq=4294967280 Ack=5000 Win=1000 Len=0", differs: "options are shown in less detail"},
	{name: "ip_option_too_long", link: ethernet, b: eth(0x0800, ip4(6, "\x07\x20\x00\x00", ack)),
		kind: inet.TCP, proto: "TCP", info: "40000 → 445 [ACK] Seq=4294967280 Ack=5000 Win=1000 Len=0", differs: "options are shown in less detail"},
	{name: "fragment", link: ethernet, b: put(eth(0x0800, ip4(6, "", make([]byte, 16))), 20, 0x20, 0x45),
		kind: inet.Fragment, payload: 16, proto: "IPv4", info: "Fragmented IP protocol (proto=TCP 6, off=552, ID=1234)"},
	{name: "unknown_protocol", link: ethernet, b: eth(0x0800, ip4(89, "", make([]byte, 16))),
		kind: inet.IP, payload: 16, proto: "OSPF", info: "OSPF IGP (89)"},
	{name: "vlan", link: ethernet, b: eth(0x8100, cat([]byte{0x60, 10, 0x08, 0}, ip4(6, "", ack))),
		kind: inet.TCP, proto: "TCP", info: "40000 → 445 [ACK] Seq=4294967280 Ack=5000 Win=1000 Len=0"},
	{name: "qinq", link: ethernet, b: eth(0x88a8, cat([]byte{0, 200, 0x81, 0, 0x10, 10, 0x86, 0xdd}, ip6(6, -1, ack))),
		kind: inet.TCP, proto: "TCP", info: "40000 → 445 [ACK] Seq=4294967280 Ack=5000 Win=1000 Len=0"},
	{name: "snap", link: ethernet, b: eth(48, cat([]byte{0xaa, 0xaa, 3, 0, 0, 0, 8, 0}, ip4(6, "", ack))),
		kind: inet.TCP, proto: "TCP", info: "40000 → 445 [ACK] Seq=4294967280 Ack=5000 Win=1000 Len=0", differs: "LLC is shown in less detail"},
	{name: "spanning_tree", link: ethernet, b: eth(7, []byte{0x42, 0x42, 3, 0, 0, 0, 0}),
		kind: inet.Other, payload: 4, proto: "LLC", info: "Data, Len=4", differs: "LLC is shown in less detail"},
	{name: "pppoe", link: ethernet, b: eth(0x8864, cat([]byte{0x11, 0, 0, 1, 0, 42, 0, 0x21}, ip4(6, "", ack))),
		kind: inet.TCP, proto: "TCP", info: "40000 → 445 [ACK] Seq=4294967280 Ack=5000 Win=1000 Len=0"},
	{name: "udp", link: ethernet, b: eth(0x0800, ip4(17, "", udp(5000, 6000, -1, []byte("ab")))),
		kind: inet.UDP, payload: 2, proto: "UDP", info: "5000 → 6000 Len=2"},
	{name: "udp_without_checksum", link: ethernet, b: eth(0x0800, ip4(17, "", put(udp(5000, 6000, -1, []byte("ab")), 6, 0, 0))),
		kind: inet.UDP, payload: 2, proto: "UDP", info: "5000 → 6000 Len=2"},
	{name: "udp_without_checksum_ipv6", link: ethernet, b: eth(0x86dd, ip6(17, -1, put(udp(5000, 6000, -1, []byte("ab")), 6, 0, 0))),
		kind: inet.UDP, payload: 2, proto: "UDP", info: "5000 → 6000 Len=2"},
	{name: "udp_length_below_header", link: ethernet, b: eth(0x0800, ip4(17, "", udp(5000, 6000, 4, []byte("ab")))),
		kind: inet.UDP, bad: true, proto: "UDP", info: "5000 → 6000 Len=0", differs: "tshark stops in the middle"},
	{name: "arp", link: ethernet, b: eth(0x0806, []byte{0, 1, 8, 0, 6, 4, 0, 2, 2, 0, 0, 0, 0, 2, 10, 0, 0, 1, 2, 0, 0, 0, 0, 1, 10, 0, 0, 2}),
		kind: inet.Other, payload: 28, proto: "ARP", info: "10.0.0.1 is at 02:00:00:00:00:02"},
	{name: "arp_probe", link: ethernet, b: eth(0x0806, []byte{0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2}),
		kind: inet.Other, payload: 28, proto: "ARP", info: "Who has 10.0.0.2? (ARP Probe)", differs: "tshark makes a name of the zeros"},
	{name: "arp_announcement", link: ethernet, b: eth(0x0806, []byte{0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 2, 10, 0, 0, 2, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2}),
		kind: inet.Other, payload: 28, proto: "ARP", info: "ARP Announcement for 10.0.0.2", differs: "tshark makes a name of the zeros"},
	{name: "arp_broadcast", link: ethernet, b: eth(0x0806, []byte{0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 2, 10, 0, 0, 2, 255, 255, 255, 255, 255, 255, 10, 0, 0, 2}),
		kind: inet.Other, payload: 28, proto: "ARP", info: "Gratuitous ARP for 10.0.0.2 (Request)"},
	{name: "arp_inverse", link: ethernet, b: eth(0x0806, []byte{0, 1, 8, 0, 6, 4, 0, 9, 2, 0, 0, 0, 0, 2, 10, 0, 0, 1, 2, 0, 0, 0, 0, 1, 10, 0, 0, 2}),
		kind: inet.Other, payload: 28, proto: "ARP", info: "02:00:00:00:00:02 is at 10.0.0.1"},
	{name: "arp_gratuitous", link: ethernet, b: eth(0x0806, []byte{0, 1, 8, 0, 6, 4, 0, 2, 2, 0, 0, 0, 0, 2, 10, 0, 0, 2, 2, 0, 0, 0, 0, 1, 10, 0, 0, 2}),
		kind: inet.Other, payload: 28, proto: "ARP", info: "Gratuitous ARP for 10.0.0.2 (Reply)"},
	{name: "icmp_unreachable", link: ethernet, b: eth(0x0800, ip4(1, "", summed(cat([]byte{3, 4, 0, 0, 0, 0, 5, 0}, ip4(6, "", ack))))),
		kind: inet.IP, payload: 48, proto: "ICMP", info: "Destination unreachable (Fragmentation needed)"},
	{name: "icmp_quotes_8_bytes", link: ethernet, b: eth(0x0800, ip4(1, "", summed(cat([]byte{11, 0, 0, 0, 0, 0, 0, 0}, ip4(6, "", ack)[:28])))),
		kind: inet.IP, payload: 36, proto: "ICMP", info: "Time-to-live exceeded (Time to live exceeded in transit)", differs: "the ports are shown as bytes"},
	{name: "icmp_echo", link: ethernet, b: eth(0x0800, ip4(1, "", summed([]byte("\x08\x00\x00\x00\x12\x34\x00\x01ping")))),
		kind: inet.IP, payload: 12, proto: "ICMP", info: "Echo (ping) request  id=0x1234, seq=1/256, ttl=64"},
	{name: "icmpv6_neighbour", link: ethernet, b: eth(0x86dd, ip6(58, -1, cat([]byte{136, 0, 0, 0, 0x60, 0, 0, 0, 0xfd}, make([]byte, 14), []byte{1, 2, 1, 2, 0, 0, 0, 0, 1}))),
		kind: inet.IP, payload: 32, proto: "ICMPv6", info: "Neighbor Advertisement fd00::1 (sol, ovr) is at 02:00:00:00:00:01", differs: "its checksum is wrong"},
	{name: "ipv6", link: ethernet, b: eth(0x86dd, ip6(6, -1, tcp(inet.ACK, "", "abc"))),
		kind: inet.TCP, payload: 3, proto: "TCP", info: "40000 → 445 [ACK] Seq=4294967280 Ack=5000 Win=1000 Len=3"},
	{name: "ipv6_length_0", link: ethernet, b: eth(0x86dd, ip6(6, 0, tcp(inet.ACK, "", "abc"))),
		kind: inet.TCP, payload: 3, proto: "TCP", info: "40000 → 445 [ACK] Seq=4294967280 Ack=5000 Win=1000 Len=3", differs: "tshark stops in the middle"},
	{name: "ipv6_length_past_the_frame", link: ethernet, b: eth(0x86dd, ip6(6, 4000, tcp(inet.ACK, "", "abc"))),
		kind: inet.TCP, bad: true, payload: 3, proto: "TCP", info: "40000 → 445 [ACK] Seq=4294967280 Ack=5000 Win=1000 Len=3", differs: "the remark stands elsewhere"},
	{name: "ipv6_extensions", link: ethernet, b: eth(0x86dd, ip6(0, -1, cat([]byte{60, 0, 5, 2, 0, 0, 1, 0}, []byte{44, 0, 1, 4, 0, 0, 0, 0}, []byte{6, 0, 0, 0, 0, 0, 0, 7}, ack))),
		kind: inet.TCP, proto: "TCP", info: "40000 → 445 [ACK] Seq=4294967280 Ack=5000 Win=1000 Len=0"},
	{name: "ipv6_jumbogram", link: ethernet, b: eth(0x86dd, ip6(0, 0, cat([]byte{6, 0, 0xc2, 4, 0, 0, 0, 28}, ack))),
		kind: inet.TCP, proto: "TCP", info: "40000 → 445 [ACK] Seq=4294967280 Ack=5000 Win=1000 Len=0", differs: "tshark stops in the middle"},
	{name: "ipv6_routing", link: ethernet, b: eth(0x86dd, ip6(43, -1, cat([]byte{6, 2, 4, 0, 0, 0, 0, 0}, make([]byte, 16), ack))),
		kind: inet.TCP, proto: "TCP", info: "40000 → 445 [ACK] Seq=4294967280 Ack=5000 Win=1000 Len=0", differs: "routes are shown in less detail"},
	{name: "ipv6_fragment", link: ethernet, b: eth(0x86dd, ip6(44, -1, cat([]byte{6, 0, 0, 0x11, 0, 0, 0, 7}, make([]byte, 16)))),
		kind: inet.Fragment, payload: 16, proto: "IPv6", info: "IPv6 fragment (off=16 more=y ident=0x00000007 nxt=6)"},
	{name: "ipv6_nothing", link: ethernet, b: eth(0x86dd, ip6(59, -1, nil)),
		kind: inet.IP, proto: "IPv6", info: "IPv6 no next header"},
	{name: "authentication_header", link: ethernet, b: eth(0x0800, ip4(51, "", cat([]byte{6, 2, 0, 0, 0, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0, 0}, ack))),
		kind: inet.TCP, proto: "TCP", info: "40000 → 445 [ACK] Seq=4294967280 Ack=5000 Win=1000 Len=0", differs: "the header is shown in less detail"},
	{name: "vxlan", link: ethernet, b: eth(0x0800, ip4(17, "", udp(5000, 4789, -1, cat([]byte{8, 0, 0, 0, 0, 0, 42, 0}, eth(0x0800, ip4(6, "", tcp(inet.ACK, "", "inner"))))))),
		kind: inet.TCP, payload: 5, proto: "TCP", info: "40000 → 445 [ACK] Seq=4294967280 Ack=5000 Win=1000 Len=5"},
	{name: "gre", link: ethernet, b: eth(0x0800, ip4(47, "", cat([]byte{0, 0, 8, 0}, ip4(6, "", ack)))),
		kind: inet.TCP, proto: "TCP", info: "40000 → 445 [ACK] Seq=4294967280 Ack=5000 Win=1000 Len=0"},
	{name: "gre_ethernet", link: ethernet, b: eth(0x0800, ip4(47, "", cat([]byte{0x20, 0, 0x65, 0x58, 0, 0, 0, 1}, eth(0x0800, ip4(6, "", ack))))),
		kind: inet.TCP, proto: "TCP", info: "40000 → 445 [ACK] Seq=4294967280 Ack=5000 Win=1000 Len=0"},
	{name: "geneve", link: ethernet, b: eth(0x0800, ip4(17, "", udp(5000, 6081, -1, cat([]byte{0, 0, 0x65, 0x58, 0, 0, 42, 0}, eth(0x0800, ip4(6, "", ack)))))),
		kind: inet.TCP, proto: "TCP", info: "40000 → 445 [ACK] Seq=4294967280 Ack=5000 Win=1000 Len=0"},
	{name: "geneve_ip", link: ethernet, b: eth(0x0800, ip4(17, "", udp(5000, 6081, -1, cat([]byte{1, 0x40, 8, 0, 0, 0, 42, 0, 1, 2, 3, 0}, ip4(6, "", ack))))),
		kind: inet.TCP, proto: "TCP", info: "40000 → 445 [ACK] Seq=4294967280 Ack=5000 Win=1000 Len=0", differs: "options are shown as bytes"},
	{name: "erspan_1", link: ethernet, b: eth(0x0800, ip4(47, "", cat([]byte{0, 0, 0x88, 0xbe}, eth(0x0800, ip4(6, "", ack))))),
		kind: inet.TCP, proto: "TCP", info: "40000 → 445 [ACK] Seq=4294967280 Ack=5000 Win=1000 Len=0"},
	{name: "erspan_2", link: ethernet, b: eth(0x0800, ip4(47, "", cat([]byte{0x10, 0, 0x88, 0xbe, 0, 0, 0, 7, 0x10, 10, 0x18, 100, 0, 0, 0, 5}, eth(0x0800, ip4(6, "", ack))))),
		kind: inet.TCP, proto: "TCP", info: "40000 → 445 [ACK] Seq=4294967280 Ack=5000 Win=1000 Len=0"},
	{name: "erspan_3", link: ethernet, b: eth(0x0800, ip4(47, "", cat([]byte{0x10, 0, 0x22, 0xeb, 0, 0, 0, 7, 0x20, 10, 0, 100, 0, 0, 0, 5, 0, 0, 0, 0}, eth(0x0800, ip4(6, "", ack))))),
		kind: inet.TCP, proto: "TCP", info: "40000 → 445 [ACK] Seq=4294967280 Ack=5000 Win=1000 Len=0"},
	{name: "ip_in_ip", link: ethernet, b: eth(0x0800, ip4(4, "", ip4(6, "", ack))),
		kind: inet.TCP, proto: "TCP", info: "40000 → 445 [ACK] Seq=4294967280 Ack=5000 Win=1000 Len=0"},
	{name: "raw_ipv4", link: raw, b: ip4(6, "", ack),
		kind: inet.TCP, proto: "TCP", info: "40000 → 445 [ACK] Seq=4294967280 Ack=5000 Win=1000 Len=0"},
	{name: "raw_ipv6", link: raw, b: ip6(6, -1, ack),
		kind: inet.TCP, proto: "TCP", info: "40000 → 445 [ACK] Seq=4294967280 Ack=5000 Win=1000 Len=0"},
	{name: "linktype_ipv4", link: linktype.IPv4, b: ip4(6, "", ack),
		kind: inet.TCP, proto: "TCP", info: "40000 → 445 [ACK] Seq=4294967280 Ack=5000 Win=1000 Len=0"},
	{name: "null_little_endian", link: linktype.Null, b: cat([]byte{30, 0, 0, 0}, ip6(6, -1, ack)),
		kind: inet.TCP, proto: "TCP", info: "40000 → 445 [ACK] Seq=4294967280 Ack=5000 Win=1000 Len=0"},
	{name: "null_big_endian", link: linktype.Null, b: cat([]byte{0, 0, 0, 2}, ip4(6, "", ack)),
		kind: inet.TCP, proto: "TCP", info: "40000 → 445 [ACK] Seq=4294967280 Ack=5000 Win=1000 Len=0"},
	{name: "openbsd_loopback", link: linktype.Loop, b: cat([]byte{0, 0, 0, 2}, ip4(6, "", ack)),
		kind: inet.TCP, proto: "TCP", info: "40000 → 445 [ACK] Seq=4294967280 Ack=5000 Win=1000 Len=0"},
	{name: "ppp", link: linktype.PPP, b: cat([]byte{0xff, 3, 0, 0x21}, ip4(6, "", ack)),
		kind: inet.TCP, proto: "TCP", info: "40000 → 445 [ACK] Seq=4294967280 Ack=5000 Win=1000 Len=0"},
	{name: "ppp_compressed", link: linktype.PPP, b: cat([]byte{0x57}, ip6(6, -1, ack)),
		kind: inet.TCP, proto: "TCP", info: "40000 → 445 [ACK] Seq=4294967280 Ack=5000 Win=1000 Len=0"},
	{name: "sll", link: linktype.LinuxSLL, b: cat([]byte{0, 4, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 8, 0}, ip4(6, "", ack)),
		kind: inet.TCP, proto: "TCP", info: "40000 → 445 [ACK] Seq=4294967280 Ack=5000 Win=1000 Len=0"},
	{name: "sll_no_address", link: linktype.LinuxSLL, b: cat([]byte{0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0}, ip4(6, "", ack)),
		kind: inet.TCP, proto: "TCP", info: "40000 → 445 [ACK] Seq=4294967280 Ack=5000 Win=1000 Len=0"},
	{name: "ipoib_sent", link: linktype.IPoIB, b: cat(make([]byte, 20), []byte{0, 0, 0, 7, 0xfe, 0x80}, make([]byte, 13), []byte{1, 8, 0, 0, 0}, ip4(6, "", ack)),
		kind: inet.TCP, proto: "TCP", info: "40000 → 445 [ACK] Seq=4294967280 Ack=5000 Win=1000 Len=0"},
	{name: "ipoib_received", link: linktype.IPoIB, b: cat([]byte{0x60, 0, 0, 0, 0, 0, 0, 9, 0xfe, 0x80}, make([]byte, 13), []byte{1, 0xfe, 0x80}, make([]byte, 13), []byte{2, 8, 0, 0, 0}, ip4(6, "", ack)),
		kind: inet.TCP, proto: "TCP", info: "40000 → 445 [ACK] Seq=4294967280 Ack=5000 Win=1000 Len=0"},
	{name: "nflog", link: linktype.NFLOG, b: cat([]byte{2, 0, 0, 42, 8, 0, 1, 0, 8, 0, 3, 0, 5, 0, 10, 0, 0, 0, 0, 0, 44, 0, 9, 0}, ip4(6, "", ack)),
		kind: inet.TCP, proto: "TCP", info: "40000 → 445 [ACK] Seq=4294967280 Ack=5000 Win=1000 Len=0", differs: "attributes are shown in less detail"},
}
