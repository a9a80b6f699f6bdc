package bpf

import (
	"fmt"
	"net/netip"
)

// place is what a number in a test counts from.
type place uint8

const (
	atLink       place = iota // the first byte of the packet
	atTransport               // the byte after the IPv4 header that begins at base
	atLength                  // no byte: the length of the packet
	atProtocol                // the Ethertype beside the packet
	atTagPresent              // 1 if a VLAN tag stands beside the packet
	atTag                     // that tag
)

// rel is a comparison.
type rel uint8

const (
	relEqual rel = iota
	relNotEqual
	relGreater
	relLess
	relGreaterOrEqual
	relLessOrEqual
)

// A test compares a number of a packet with a constant.
type test struct {
	where  place
	base   uint32 // of the IPv4 header, for atTransport
	offset uint32
	size   uint32
	mask   uint32 // 0 for none
	rel    rel
	value  uint32
}

// resolver puts tests in the place of primitives. It goes through an expression in the
// order in which it is written, because vlan changes what comes after it.
type resolver struct {
	expr   string
	on     Frames
	beside bool   // packets with a tag beside them, and only these
	vlans  int    // that have been met
	shift  uint32 // of the network header, by tags in the packet
}

func (r *resolver) resolve(n *node) (*node, error) {
	if n.op == opPrimitive {
		return r.primitive(n.prim)
	}
	out := &node{op: n.op}
	var err error
	if n.a != nil {
		out.a, err = r.resolve(n.a)
	}
	if err == nil && n.b != nil {
		out.b, err = r.resolve(n.b)
	}
	return out, err
}

// header returns where the network header begins.
func (r *resolver) header() uint32 {
	if r.on == Cooked {
		return r.shift
	}
	return 14 + r.shift
}

func (r *resolver) etherType(v uint32) *node {
	if r.on == Cooked && r.shift == 0 {
		return &node{test: test{where: atProtocol, value: v}}
	}
	return &node{test: test{offset: r.header() - 2, size: 2, value: v}}
}

// field compares a number of the network header.
func (r *resolver) field(offset, size, mask, value uint32) *node {
	return &node{test: test{offset: r.header() + offset, size: size, mask: mask, value: value}}
}

func (r *resolver) wrong(m *primitive, format string, args ...any) error {
	return &Error{r.expr, m.at + 1, fmt.Sprintf(format, args...)}
}

func (r *resolver) primitive(m *primitive) (*node, error) {
	switch m.kind {
	case "":
		return r.named(m.proto), nil
	case "vlan":
		return r.vlan(m), nil
	case "bytes":
		return r.bytes(m)
	case "host", "net":
		return r.address(m)
	case "proto":
		switch m.proto {
		case "ether":
			return r.etherType(m.lo), nil
		case "ip":
			return r.over4(m.lo), nil
		case "ip6":
			return r.over6(m.lo), nil
		}
		return or(r.over4(m.lo), r.over6(m.lo)), nil
	}
	return r.ports(m), nil
}

// named is a protocol alone.
func (r *resolver) named(name string) *node {
	if v, ok := etherTypes[name]; ok {
		return r.etherType(v)
	}
	v := ipProtocols[name]
	switch name {
	case "icmp", "igmp":
		return r.over4(v)
	case "icmp6":
		return r.over6(v)
	}
	return or(r.over4(v), r.over6(v))
}

func (r *resolver) over4(v uint32) *node { return and(r.etherType(0x800), r.field(9, 1, 0, v)) }

// over6 looks behind a fragment header, too, as libpcap does, and behind no other.
func (r *resolver) over6(v uint32) *node {
	return and(r.etherType(0x86dd), or(r.field(6, 1, 0, v), and(r.field(6, 1, 0, 44), r.field(40, 1, 0, v))))
}

// vlan is true for a tag, and moves the network header behind it.
func (r *resolver) vlan(m *primitive) *node {
	r.vlans++
	if r.beside && r.vlans == 1 {
		if !m.hasID {
			return &node{op: opTrue}
		}
		return &node{test: test{where: atTag, mask: 0xfff, value: m.lo}}
	}
	n := or(r.etherType(0x8100), r.etherType(0x88a8), r.etherType(0x9100))
	if m.hasID {
		n = and(n, r.field(0, 2, 0xfff, m.lo))
	}
	r.shift += 4
	return n
}

func directed(dir string, src, dst *node) *node {
	switch dir {
	case "src":
		return src
	case "dst":
		return dst
	case "and":
		return and(src, dst)
	}
	return or(src, dst)
}

func (r *resolver) address(m *primitive) (*node, error) {
	if m.proto == "ether" {
		if r.on == Cooked {
			return nil, r.wrong(m, "packets of this interface are captured without Ethernet addresses")
		}
		mac := func(offset uint32) *node {
			b := m.mac
			return and(&node{test: test{offset: offset + 2, size: 4, value: uint32(b[2])<<24 | uint32(b[3])<<16 | uint32(b[4])<<8 | uint32(b[5])}},
				&node{test: test{offset: offset, size: 2, value: uint32(b[0])<<8 | uint32(b[1])}})
		}
		return directed(m.dir, mac(6), mac(0)), nil
	}
	if m.addr.Is6() {
		return and(r.etherType(0x86dd), directed(m.dir, r.address6(8, m), r.address6(24, m))), nil
	}
	mask := m.mask
	if m.kind == "host" {
		mask = 0xffffffff
	}
	at := func(src, dst uint32) *node {
		return directed(m.dir, r.masked(src, mask, v4(m.addr)), r.masked(dst, mask, v4(m.addr)))
	}
	switch m.proto {
	case "ip":
		return and(r.etherType(0x800), at(12, 16)), nil
	case "arp", "rarp":
		return and(r.etherType(etherTypes[m.proto]), at(14, 24)), nil
	}
	return or(and(r.etherType(0x800), at(12, 16)), and(or(r.etherType(0x806), r.etherType(0x8035)), at(14, 24))), nil
}

// masked compares four bytes; with no bits to compare it is true.
func (r *resolver) masked(offset, mask, value uint32) *node {
	switch mask {
	case 0:
		return &node{op: opTrue}
	case 0xffffffff:
		mask = 0
	}
	return r.field(offset, 4, mask, value)
}

func (r *resolver) address6(offset uint32, m *primitive) *node {
	bits := 128
	if m.kind == "net" {
		bits = m.prefix.Bits()
	}
	b := m.addr.As16()
	n := &node{op: opTrue}
	for i := uint32(0); i < 4 && bits > 0; i++ {
		v, _ := netip.AddrFromSlice(b[4*i : 4*i+4])
		mask := uint32(0xffffffff)
		if bits < 32 {
			mask <<= 32 - uint(bits)
		}
		n = and(n, r.masked(offset+4*i, mask, v4(v)))
		bits -= 32
	}
	return n
}

// ports looks at TCP, UDP and SCTP that are no later fragments; over IPv6 only where no
// other header comes before them.
func (r *resolver) ports(m *primitive) *node {
	protocols := []string{"sctp", "tcp", "udp"}
	if m.proto != "" {
		protocols = []string{m.proto}
	}
	var four, six []*node
	for _, name := range protocols {
		four = append(four, r.field(9, 1, 0, ipProtocols[name]))
		six = append(six, r.field(6, 1, 0, ipProtocols[name]))
	}
	port6 := func(offset uint32) *node {
		return between(test{offset: r.header() + 40 + offset, size: 2}, m.lo, m.hi)
	}
	port4 := func(offset uint32) *node {
		return between(test{where: atTransport, base: r.header(), offset: r.header() + offset, size: 2}, m.lo, m.hi)
	}
	return or(
		and(r.etherType(0x86dd), or(six...), directed(m.dir, port6(0), port6(2))),
		and(r.etherType(0x800), or(four...), r.first(), directed(m.dir, port4(0), port4(2))))
}

// first is true for what is no later fragment.
func (r *resolver) first() *node { return r.field(6, 2, 0x1fff, 0) }

func between(t test, lo, hi uint32) *node {
	if lo == hi {
		t.value = lo
		return &node{test: t}
	}
	low, high := t, t
	low.rel, low.value = relGreaterOrEqual, lo
	high.rel, high.value = relLessOrEqual, hi
	return and(&node{test: low}, &node{test: high})
}

// bytes compares bytes of a header, where the packet has one.
func (r *resolver) bytes(m *primitive) (*node, error) {
	a := m.access
	t := test{offset: a.offset, size: a.size, mask: a.mask, rel: a.rel, value: a.value}
	switch a.proto {
	case "":
		t.where = atLength
		return &node{test: t}, nil
	case "ether":
		if r.on == Cooked {
			return nil, r.wrong(m, "packets of this interface are captured without their Ethernet header")
		}
		return &node{test: t}, nil
	}
	if v, ok := etherTypes[a.proto]; ok {
		t.offset += r.header()
		return and(r.etherType(v), &node{test: t}), nil
	}
	if a.proto == "icmp6" {
		t.offset += r.header() + 40
		return and(r.over6(58), &node{test: t}), nil
	}
	t.where, t.base = atTransport, r.header()
	t.offset += r.header()
	return and(r.over4(ipProtocols[a.proto]), r.first(), &node{test: t}), nil
}
