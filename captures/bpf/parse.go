package bpf

import (
	"net/netip"
	"strconv"
	"strings"
)

// op is what a node does.
type op uint8

const (
	opTest op = iota
	opTrue
	opAnd
	opOr
	opNot
	opPrimitive // in what the parser makes: resolver puts tests in its place
)

// A node is an expression.
type node struct {
	op   op
	a, b *node // b for opAnd and opOr
	test test
	prim *primitive
}

func and(list ...*node) *node { return fold(opAnd, list) }
func or(list ...*node) *node  { return fold(opOr, list) }

func fold(o op, list []*node) *node {
	n := list[0]
	for _, m := range list[1:] {
		n = &node{op: o, a: n, b: m}
	}
	return n
}

// qualifiers say what an identifier is.
type qualifiers struct {
	proto string // ether, ip, ip6, arp, rarp, tcp, udp, sctp; "" for all that have such
	dir   string // src, dst, or, and; "" as or
	kind  string // host, net, port, portrange, proto; "" where only a protocol was named
	known bool
}

// A primitive is what is asked of a packet, before it is known where that lies.
type primitive struct {
	qualifiers
	at     int // in the expression
	addr   netip.Addr
	prefix netip.Prefix
	mask   uint32 // of an IPv4 net
	mac    [6]byte
	lo, hi uint32 // ports, a protocol's number, a VLAN's id
	hasID  bool
	access access
}

// An access is the bytes that a comparison looks at.
type access struct {
	proto        string // "" for the length
	offset, size uint32
	mask         uint32
	rel          rel
	value        uint32
}

// parser makes nodes of an expression by recursive descent.
type parser struct {
	expr  string
	pos   int
	tok   token
	last  qualifiers
	vlans int
	depth int
}

const maxDepth = 200

func (p *parser) parse() (*node, error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	if p.tok.kind == end {
		return &node{op: opTrue}, nil
	}
	n, err := p.list()
	if err == nil && p.tok.kind != end {
		err = p.wrong(p.tok.at, "expected and, or, or the end, not %v", p.tok)
	}
	return n, err
}

func (p *parser) advance() (err error) {
	p.tok, err = p.next()
	return err
}

// is reports whether the token at hand is one of these words or signs.
func (p *parser) is(texts ...string) bool {
	for _, t := range texts {
		if (p.tok.kind == word || p.tok.kind == sign) && p.tok.text == t {
			return true
		}
	}
	return false
}

// accept goes on if the token at hand is one of these.
func (p *parser) accept(texts ...string) (bool, error) {
	if !p.is(texts...) {
		return false, nil
	}
	return true, p.advance()
}

func (p *parser) expect(text string) error {
	ok, err := p.accept(text)
	if err == nil && !ok {
		err = p.wrong(p.tok.at, "expected %q, not %v", text, p.tok)
	}
	return err
}

// list reads terms with and and or between them.
func (p *parser) list() (*node, error) {
	n, err := p.term()
	for err == nil {
		o := opAnd
		switch {
		case p.is("and", "&&"):
		case p.is("or", "||"):
			o = opOr
		default:
			return n, nil
		}
		if err = p.advance(); err != nil {
			break
		}
		var m *node
		if m, err = p.term(); err == nil {
			n = &node{op: o, a: n, b: m}
		}
	}
	return nil, err
}

func (p *parser) term() (*node, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, p.wrong(p.tok.at, "is nested too deeply")
	}
	defer func() { p.depth-- }()
	switch {
	case p.is("not", "!"):
		if err := p.advance(); err != nil {
			return nil, err
		}
		n, err := p.term()
		return &node{op: opNot, a: n}, err
	case p.is("("):
		if err := p.advance(); err != nil {
			return nil, err
		}
		n, err := p.list()
		if err == nil {
			err = p.expect(")")
		}
		return n, err
	case p.tok.kind == word:
		return p.worded()
	case p.tok.kind == sign || p.tok.kind == end:
		return nil, p.wrong(p.tok.at, "expected something to look for, not %v", p.tok)
	}
	if !p.last.known {
		return nil, p.wrong(p.tok.at, "%v needs host, net, port, portrange or proto before it", p.tok)
	}
	return p.identifier(p.last)
}

// The protocols that can be named, and where their number stands.
var (
	etherTypes  = map[string]uint32{"ip": 0x800, "arp": 0x806, "rarp": 0x8035, "ip6": 0x86dd}
	ipProtocols = map[string]uint32{"icmp": 1, "igmp": 2, "tcp": 6, "udp": 17, "icmp6": 58, "sctp": 132}
)

// worded reads a term that begins with a word.
func (p *parser) worded() (*node, error) {
	at := p.tok.at
	switch w := p.tok.text; w {
	case "vlan":
		return p.vlan()
	case "less", "greater":
		if err := p.advance(); err != nil {
			return nil, err
		}
		a := access{rel: relLessOrEqual}
		if w == "greater" {
			a.rel = relGreaterOrEqual
		}
		return p.compared(at, a)
	case "len":
		if err := p.advance(); err != nil {
			return nil, err
		}
		return p.relation(at, access{})
	}
	q := qualifiers{known: true}
	if w := p.tok.text; w == "ether" || etherTypes[w] != 0 || ipProtocols[w] != 0 {
		q.proto = w
		if err := p.advance(); err != nil {
			return nil, err
		}
		if p.is("[") {
			return p.bytes(at, w)
		}
	}
	if err := p.direction(&q); err != nil {
		return nil, err
	}
	if p.is("host", "net", "port", "portrange", "proto") {
		q.kind = p.tok.text
		if err := p.advance(); err != nil {
			return nil, err
		}
	}
	switch {
	case q.kind == "" && q.dir == "" && q.proto == "":
		return nil, p.wrong(at, "%q is not in the part of pcap-filter that odxray compiles", p.tok.text)
	case q.kind == "" && q.dir == "" && p.tok.kind != address && p.tok.kind != part && p.tok.kind != mac:
		if q.proto == "ether" {
			return nil, p.wrong(p.tok.at, "ether needs host, proto or [ after it, not %v", p.tok)
		}
		p.last = qualifiers{}
		return &node{op: opPrimitive, prim: &primitive{qualifiers: q, at: at}}, nil
	}
	if q.kind == "" {
		q.kind = "host"
	}
	return p.identifier(q)
}

// direction reads src, dst, src or dst, src and dst.
func (p *parser) direction(q *qualifiers) error {
	for _, d := range []string{"src", "dst"} {
		if !p.is(d) {
			continue
		}
		if err := p.advance(); err != nil {
			return err
		}
		q.dir = d
		back, tok := p.pos, p.tok // "src or dst" goes on; "src 10.0.0.1 or dst …" does not come here
		if d == "src" && p.is("or", "and", "||", "&&") {
			if err := p.advance(); err != nil {
				return err
			}
			if p.is("dst") {
				q.dir = map[bool]string{true: "or", false: "and"}[tok.text == "or" || tok.text == "||"]
				return p.advance()
			}
			p.pos, p.tok = back, tok
		}
		return nil
	}
	return nil
}

// identifier reads what qualifiers are about: one, or several in parentheses.
func (p *parser) identifier(q qualifiers) (*node, error) {
	if p.is("(") {
		if err := p.advance(); err != nil {
			return nil, err
		}
		p.last = q
		n, err := p.list()
		if err == nil {
			err = p.expect(")")
		}
		return n, err
	}
	p.last = q
	m := &primitive{qualifiers: q, at: p.tok.at}
	n := &node{op: opPrimitive, prim: m}
	t := p.tok
	// What protocol a thing can be asked of.
	allowed := map[string]string{"host": " ether ip ip6 arp rarp ", "net": " ip ip6 arp rarp ", "port": " tcp udp sctp ", "portrange": " tcp udp sctp ", "proto": " ether ip ip6 "}[q.kind]
	if q.proto != "" && !strings.Contains(allowed, " "+q.proto+" ") {
		return nil, p.wrong(m.at, "%s has no %s", q.proto, q.kind)
	}
	if q.dir != "" && q.kind == "proto" {
		return nil, p.wrong(m.at, "%s does not go with proto", q.dir)
	}
	if t.kind == end {
		return nil, p.wrong(t.at, "%s needs something after it", q.kind)
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	switch q.kind {
	case "host":
		return n, p.host(m, t)
	case "net":
		return n, p.net(m, t)
	case "proto":
		return n, p.protocol(m, t)
	}
	return n, p.ports(m, t)
}

func (p *parser) host(m *primitive, t token) error {
	switch {
	case m.proto == "ether":
		if t.kind != mac {
			return p.wrong(t.at, "%v is no Ethernet address", t)
		}
		m.mac = t.mac
		return nil
	case t.kind != address:
		return p.wrong(t.at, "%v is no address; names are not looked up", t)
	case t.addr.Is6() && m.proto != "" && m.proto != "ip6", t.addr.Is4() && m.proto == "ip6", t.addr.Zone() != "":
		return p.wrong(t.at, "%v is no address of %s", t, m.proto)
	}
	m.addr = t.addr
	return nil
}

// net reads what follows the address: /BITS, or mask MASK.
func (p *parser) net(m *primitive, t token) error {
	bits := -1
	a := t.addr
	switch t.kind {
	case address:
	case part, number:
		text := t.text
		n := strings.Count(text, ".") + 1
		bits = 8 * n
		for ; n < 4; n++ {
			text += ".0"
		}
		var err error
		if a, err = netip.ParseAddr(text); err != nil {
			return p.wrong(t.at, "%v is no network", t)
		}
	default:
		return p.wrong(t.at, "%v is no network", t)
	}
	if a.Is4() && m.proto == "ip6" || a.Is6() && m.proto != "" && m.proto != "ip6" || a.Zone() != "" {
		return p.wrong(t.at, "%v is no network of %s", t, m.proto)
	}
	if bits < 0 {
		bits = a.BitLen()
	}
	slash, err := p.accept("/")
	if err != nil {
		return err
	}
	if masked, err := p.accept("mask"); err != nil {
		return err
	} else if masked {
		if slash || !a.Is4() || p.tok.kind != address || !p.tok.addr.Is4() {
			return p.wrong(p.tok.at, "%v is no mask of %v", p.tok, a)
		}
		m.mask, m.addr = v4(p.tok.addr), a
		if v4(a)&^m.mask != 0 {
			return p.wrong(t.at, "network %v has bits that mask %v has not", a, p.tok.addr)
		}
		return p.advance()
	}
	if slash {
		if p.tok.kind != number || p.tok.num > uint64(a.BitLen()) {
			return p.wrong(p.tok.at, "%v is no number of bits of a network", p.tok)
		}
		bits = int(p.tok.num)
		if err := p.advance(); err != nil {
			return err
		}
	}
	m.prefix = netip.PrefixFrom(a, bits)
	if m.prefix.Masked().Addr() != a {
		return p.wrong(t.at, "network %v has bits beyond its %d", a, bits)
	}
	m.addr = a
	if a.Is4() {
		m.mask = uint32(0xffffffff << (32 - uint(bits)) & 0xffffffff)
	}
	return nil
}

func v4(a netip.Addr) uint32 {
	b := a.As4()
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
}

func (p *parser) protocol(m *primitive, t token) error {
	name := strings.TrimPrefix(t.text, "\\")
	names := ipProtocols
	most := uint64(255)
	if m.proto == "ether" {
		names, most = etherTypes, 0xffff
	}
	switch v, ok := names[name]; {
	case t.kind == word && ok:
		m.lo = v
	case t.kind == number && t.num <= most && (m.proto != "ether" || t.num > 1500):
		m.lo = uint32(t.num)
	default:
		return p.wrong(t.at, "%v is no protocol that odxray knows", t)
	}
	return nil
}

func (p *parser) ports(m *primitive, t token) error {
	port := func(t token) (uint32, error) {
		if t.kind != number || t.num > 65535 {
			return 0, p.wrong(t.at, "%v is no port; names are not looked up", t)
		}
		return uint32(t.num), nil
	}
	var err error
	if m.lo, err = port(t); err != nil {
		return err
	}
	m.hi = m.lo
	if m.kind == "port" {
		return nil
	}
	if err := p.expect("-"); err != nil {
		return err
	}
	if m.hi, err = port(p.tok); err != nil {
		return err
	}
	m.lo, m.hi = min(m.lo, m.hi), max(m.lo, m.hi)
	return p.advance()
}

func (p *parser) vlan() (*node, error) {
	m := &primitive{qualifiers: qualifiers{kind: "vlan"}, at: p.tok.at}
	p.vlans++
	p.last = qualifiers{}
	if err := p.advance(); err != nil {
		return nil, err
	}
	if p.tok.kind == number {
		if p.tok.num > 0xfff {
			return nil, p.wrong(p.tok.at, "%v is no VLAN", p.tok)
		}
		m.lo, m.hasID = uint32(p.tok.num), true
		if err := p.advance(); err != nil {
			return nil, err
		}
	}
	return &node{op: opPrimitive, prim: m}, nil
}

// Names of what stands in a header, for an offset or for a number.
var constants = map[string]uint32{
	"tcpflags": 13, "icmptype": 0, "icmpcode": 1,
	"tcp-fin": 1, "tcp-syn": 2, "tcp-rst": 4, "tcp-push": 8, "tcp-ack": 16, "tcp-urg": 32,
}

func (p *parser) number() (uint32, error) {
	v := uint32(p.tok.num)
	if p.tok.kind == word {
		c, ok := constants[p.tok.text]
		if !ok {
			return 0, p.wrong(p.tok.at, "%v is no number", p.tok)
		}
		v = c
	} else if p.tok.kind != number {
		return 0, p.wrong(p.tok.at, "expected a number, not %v", p.tok)
	}
	return v, p.advance()
}

// bytes reads PROTO[OFFSET:SIZE] and what it is compared with.
func (p *parser) bytes(at int, proto string) (*node, error) {
	a := access{proto: proto, size: 1}
	err := p.expect("[")
	if err == nil {
		a.offset, err = p.number()
	}
	if err == nil && a.offset > 0xffff {
		err = p.wrong(at, "offset %d is too large", a.offset)
	}
	if err == nil && p.is(":") {
		if err = p.advance(); err == nil {
			was := p.tok
			if a.size, err = p.number(); err == nil && a.size != 1 && a.size != 2 && a.size != 4 {
				err = p.wrong(was.at, "a size is 1, 2 or 4")
			}
		}
	}
	if err == nil {
		err = p.expect("]")
	}
	if err != nil {
		return nil, err
	}
	return p.relation(at, a)
}

var relations = map[string]rel{"=": relEqual, "==": relEqual, "!=": relNotEqual, "<": relLess, "<=": relLessOrEqual, ">": relGreater, ">=": relGreaterOrEqual}

// relation reads & MASK, if there is one, an operator, and what it compares with.
func (p *parser) relation(at int, a access) (*node, error) {
	if ok, err := p.accept("&"); err != nil {
		return nil, err
	} else if ok {
		if a.mask, err = p.masked(); err != nil {
			return nil, err
		}
		if a.mask == 0 {
			return nil, p.wrong(at, "a mask of 0 leaves nothing to compare")
		}
	}
	r, ok := relations[p.tok.text]
	if !ok || p.tok.kind != sign {
		return nil, p.wrong(p.tok.at, "expected a comparison with a number, not %v", p.tok)
	}
	a.rel = r
	if err := p.advance(); err != nil {
		return nil, err
	}
	return p.compared(at, a)
}

// masked reads a number, or one in parentheses.
func (p *parser) masked() (uint32, error) {
	open, err := p.accept("(")
	if err != nil {
		return 0, err
	}
	v, err := p.number()
	if open && err == nil {
		err = p.expect(")")
	}
	return v, err
}

// compared reads the number that an access is compared with.
func (p *parser) compared(at int, a access) (*node, error) {
	var err error
	if a.value, err = p.number(); err != nil {
		return nil, err
	}
	p.last = qualifiers{}
	if p.tok.kind == sign && strings.Contains("& | + - * / < > = == !=", p.tok.text) && !p.is("&&", "||") {
		return nil, p.wrong(p.tok.at, "odxray compiles no arithmetic beyond one &: %s", strconv.Quote(p.tok.text))
	}
	return &node{op: opPrimitive, prim: &primitive{qualifiers: qualifiers{kind: "bytes"}, at: at, access: a}}, nil
}
