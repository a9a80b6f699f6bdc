package inet

import (
	"fmt"

	"github.com/odxray/odxray/captures/linktype"
	"github.com/odxray/odxray/dissect/wire"
)

// Ethernet types that decide how to read on.
const (
	EtherTypeIPv4   uint16 = 0x0800
	EtherTypeARP    uint16 = 0x0806
	EtherTypeTEB    uint16 = 0x6558 // Ethernet in GRE
	EtherTypeRARP   uint16 = 0x8035
	EtherTypeVLAN   uint16 = 0x8100
	EtherTypeIPv6   uint16 = 0x86dd
	EtherTypePPPoED uint16 = 0x8863
	EtherTypePPPoE  uint16 = 0x8864
	EtherTypeQinQ   uint16 = 0x88a8
	EtherTypeRoCE   uint16 = 0x8915
	EtherTypeQinQ1  uint16 = 0x9100 // before 802.1ad
)

// IP protocol numbers that decide how to read on.
const (
	protoHopByHop = 0
	protoICMP     = 1
	protoIGMP     = 2
	protoIPv4     = 4
	protoTCP      = 6
	protoUDP      = 17
	protoIPv6     = 41
	protoRouting  = 43
	protoFragment = 44
	protoGRE      = 47
	protoESP      = 50
	protoAH       = 51
	protoICMPv6   = 58
	protoNone     = 59
	protoDestOpts = 60
)

// maxDepth limits headers within headers: tags, extensions, tunnels. Real frames stay
// below ten.
const maxDepth = 32

// Decoder decodes frames. The zero Decoder is ready. Not for use by several
// goroutines at once.
type Decoder struct {
	walk
	protocols wire.Mark         // node of frame.protocols
	paths     map[string]string // texts for it
	brevity   brevity
}

// maxPaths bounds the texts that are kept: a capture has few.
const maxPaths = 1 << 10

// pathText returns d.path as a string, made once.
func (d *Decoder) pathText() string {
	s, ok := d.paths[string(d.path)]
	if !ok {
		s = string(d.path)
		if d.paths == nil || len(d.paths) >= maxPaths {
			d.paths = make(map[string]string)
		}
		d.paths[s] = s
	}
	return s
}

// walk is the state of one Decode.
type walk struct {
	h     *Headers
	ctx   *Context
	depth int
	size  int        // of the frame on the wire
	quote bool       // the packet is the beginning of one that ICMP complains of
	path  []byte     // names of the protocols met, for frame.protocols; only with a tree
	ahead *innerWalk // used again
}

// Decode decodes the frame that c is at, and sets all of h. ctx is only read, and may
// be nil. The failure of c, if any, is also in h.
func (d *Decoder) Decode(c *wire.Cursor, link linktype.Type, h *Headers, ctx *Context) {
	if ctx == nil {
		ctx = &unknown
	}
	*h = Headers{}
	h.WindowShift = -1
	if link == linktype.Ethernet {
		if !c.Recording() {
			const proto = 23 // of IPv4
			if b := c.Peek(c.Len()); len(b) > proto && (b[proto] == protoUDP && datagram(b, h) || usual(b, h)) {
				return
			}
		} else if b := d.briefly(c, ctx); b != nil && usual(c.Peek(c.Len()), h) {
			b.record(c, h, ctx)
			return
		}
	}
	d.walk, d.protocols = walk{h: h, ctx: ctx, size: c.Len(), path: d.path[:0], ahead: d.ahead}, -1
	if !c.Recording() {
		d.link(c, link)
		return
	}
	d.protocols = frame(c, link, ctx)
	d.link(c, link)
	if d.protocols >= 0 {
		c.Title(d.protocols, 0, d.pathText())
	}
}

// Again is Decode of a frame of which h is what Decode has made before: it need only be
// recorded.
func (d *Decoder) Again(c *wire.Cursor, link linktype.Type, h *Headers, ctx *Context) {
	if link == linktype.Ethernet && h.Kind == TCP {
		if b := d.briefly(c, ctx); b != nil {
			if usual, _ := usualSegment(c.Peek(c.Len())); usual != nil {
				b.record(c, h, ctx)
				return
			}
		}
	}
	d.Decode(c, link, h, ctx)
}

// briefly returns what to record of a usual frame; nil if it is to be walked for that.
func (d *Decoder) briefly(c *wire.Cursor, ctx *Context) *brevity {
	want := c.Want()
	if want == nil || ctx.Frame == 0 {
		return nil
	}
	b := d.brief(want)
	if !b.all {
		return nil
	}
	d.protocols, d.path = -1, d.path[:0]
	return b
}

// AboveFields lists the fields that Above changes.
func AboveFields() []*wire.Field { return []*wire.Field{fProtocols} }

// Above adds protocols to frame.protocols that somebody else has found in what the last
// frame carries: names joined by colons. c is any cursor that records into the tree of
// that frame.
func (d *Decoder) Above(c *wire.Cursor, names string) {
	if c.Recording() && d.protocols >= 0 {
		d.met(c, names)
		c.Title(d.protocols, 0, d.pathText())
	}
}

// DecodeIPPayload decodes what an IP packet carries, put together from its fragments.
// proto is the protocol of the fragments, and h what Decode made of one of them.
func DecodeIPPayload(c *wire.Cursor, h *Headers, proto uint8, ctx *Context) {
	d := Decoder{protocols: -1}
	d.IPPayload(c, h, proto, ctx)
}

// IPPayload is DecodeIPPayload after Decode of the frame that completes the packet: the
// protocols join those of that frame.
func (d *Decoder) IPPayload(c *wire.Cursor, h *Headers, proto uint8, ctx *Context) {
	if ctx == nil {
		ctx = &unknown
	}
	d.walk = walk{h: h, ctx: ctx, path: d.path}
	h.Kind, h.FragID, h.FragOffset, h.MoreFragments = IP, 0, 0, false
	d.ipPayload(c, proto, h.Src.Is6())
	c.Title(d.protocols, 0, string(d.path))
}

func (w *walk) link(c *wire.Cursor, link linktype.Type) {
	switch link {
	case linktype.Ethernet:
		w.ethernet(c)
	case linktype.Raw, linktype.Raw12, linktype.Raw14:
		w.raw(c)
	case linktype.IPv4, linktype.IPv6:
		w.ip(c)
	case linktype.LinuxSLL:
		w.sll(c)
	case linktype.LinuxSLL2:
		w.sll2(c)
	case linktype.Null, linktype.Loop:
		w.null(c, link == linktype.Loop)
	case linktype.PPP, linktype.PPPHDLC:
		w.ppp(c)
	case linktype.NFLOG:
		w.nflog(c)
	case linktype.IPoIB:
		w.ipoib(c)
	case linktype.InfiniBand:
		w.infiniband(c)
	default:
		w.data(c)
	}
}

// infiniband leaves all of the frame to who knows InfiniBand.
func (w *walk) infiniband(c *wire.Cursor) {
	w.h.Kind = InfiniBand
	look := c.Ahead()
	w.h.finish(&look, fData)
}

// enter counts a header within a header. It is false where that went too far.
func (w *walk) enter(c *wire.Cursor) bool {
	w.depth++
	if w.depth > maxDepth {
		w.h.Malformed = true
		w.data(c)
		return false
	}
	return true
}

// met notes the protocols of a layer for frame.protocols.
func (w *walk) met(c *wire.Cursor, names string) {
	if !c.Wants(fProtocols) {
		return
	}
	if len(w.path) > 0 {
		w.path = append(w.path, ':')
	}
	w.path = append(w.path, names...)
}

// ethertype goes on with what an Ethernet type announces.
func (w *walk) ethertype(c *wire.Cursor, t uint16) {
	if !w.enter(c) {
		return
	}
	w.h.EtherType = t
	switch t {
	case EtherTypeIPv4:
		w.ipv4(c)
	case EtherTypeIPv6:
		w.ipv6(c)
	case EtherTypeVLAN, EtherTypeQinQ, EtherTypeQinQ1:
		w.vlan(c, t)
	case EtherTypeARP, EtherTypeRARP:
		w.arp(c)
	case EtherTypeRoCE:
		w.infiniband(c)
	case EtherTypePPPoE:
		w.pppoe(c)
	default:
		w.data(c)
	}
}

var (
	above      = fields.Section("")
	fDataLayer = above.Struct("data", "Data").Formatted(byteCount)
	fData      = above.Bytes("data.data", "Data")
	fDataLen   = above.Int("data.len", "Length")
)

func byteCount(n uint64) string {
	if n == 1 {
		return " (1 byte)"
	}
	return fmt.Sprintf(" (%d bytes)", n)
}

// data takes what is left for the payload, of which nothing more is known.
func (w *walk) data(c *wire.Cursor) {
	if !c.Recording() {
		w.h.finish(c, fData)
		return
	}
	all := c.Ahead()
	w.h.finish(&all, fData)
	if w.h.Kind != Fragment || !w.ctx.Joined {
		w.show(c)
	}
}

// show shows what is left as bytes.
func (w *walk) show(c *wire.Cursor) {
	n := c.Len()
	if n == 0 {
		return
	}
	m := c.Open(fDataLayer)
	c.Title(m, uint64(n), "")
	c.Rest(fData)
	c.Note(fDataLen, uint64(n), "")
	c.Close(m)
	w.met(c, "data")
}
