package flows

// One frame for somebody who looks at it: the line of the packet list, and the tree
// of its fields. The pass and random access come here alike.

import (
	"bytes"
	"net"
	"net/netip"
	"slices"
	"strconv"

	"github.com/odxray/odxray/captures"
	"github.com/odxray/odxray/dissect/auth"
	"github.com/odxray/odxray/dissect/dtyp"
	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/inet"
	"github.com/odxray/odxray/dissect/netbios"
	"github.com/odxray/odxray/dissect/odx"
	"github.com/odxray/odxray/dissect/rpc"
	"github.com/odxray/odxray/dissect/smb1"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/rdma/ib"
	"github.com/odxray/odxray/rdma/iwarp"
	"github.com/odxray/odxray/rdma/smbd"
)

// frameView draws frames. Its methods are called in the order begin, unit…, end.
type frameView struct {
	tree *wire.Tree // nil: rows only
	row  Row

	bare    bool // nobody looks at the columns of rows
	shallow bool // nor at fields of messages

	decoder inet.Decoder
	headers *inet.Headers // of the frame at hand
	decoded inet.Headers  // where nobody else has decoded them
	ctx     inet.Context
	ib      ib.Decoder
	smb     smb2.Decoder
	smbCtx  smb2.Context
	old     smb1.Decoder
	name    string // of the protocol of those messages
	info    []byte // of the SMB messages, joined
	words   []byte // the whole Info column
	ips     map[netip.Addr]string
	gids    map[netip.Addr]string
	macs    map[[6]byte]string
	units   int
	within  bool   // an encrypted or compressed message
	own     int    // buffers of the tree that are the frame's own
	arena   []byte // bytes of messages that the tree shows; valid until the next frame
	above   bool   // nothing below SMB is wanted
	below   bool   // nothing of SMB is wanted
	whole   []byte // the datagram whose last fragment the frame is; nil if it is none

	under     []byte // the Info column of what is below SMB, and its protocol
	underName string
	ends      [2]string    // the Source and the Destination column, if they are no addresses of IP or Ethernet
	payload   *wire.Cursor // of a packet of RDMA, as long as nobody has decoded it
	segment   iwarp.Segment

	// heard is called for every message of a unit, if it is not nil; see together.keep.
	heard              func(d delivered, lower, unit, upper, from int)
	at                 delivered // the message at hand
	conn               uint32    // of the frame; 0 if it is of no TCP connection
	lower, start, upto int       // nodes of the frame's own layers; of the unit, as far as above its messages
}

// maxNames bounds the addresses whose text is kept.
const maxNames = 1 << 16

// only has v record the fields in want and nothing else.
func (v *frameView) only(want wire.Want) {
	v.bare = true
	v.smb.HeaderOnly = !want.Any(bodyFields())
	v.shallow = v.smb.HeaderOnly && !want.Any(headerFields())
}

// bodyFields lists the fields of messages behind the header of SMB2, and what messages
// change of other fields.
func bodyFields() []*wire.Field {
	return slices.Concat(smb1.Fields(), smb2.BodyFields(), fscc.Fields(), odx.Fields(), dtyp.Fields(), auth.Fields(), rpc.Fields(), wire.Fields(), inet.AboveFields())
}

// headerFields lists the fields of messages up to there.
func headerFields() []*wire.Field {
	return slices.Concat(netbios.Fields(), smb2.Fields(), fields.All())
}

// begin takes the frame, whose headers the caller may have decoded already.
func (v *frameView) begin(p *captures.Packet, number uint32, h *inet.Headers) {
	v.info, v.name, v.units, v.arena = v.info[:0], "SMB2", 0, v.arena[:0]
	v.under, v.payload, v.ends = v.under[:0], nil, [2]string{}
	v.row, v.conn = Row{Frame: int(number), Time: p.Time, Length: p.WireLen}, 0
	v.ctx = inet.Context{}
	v.ctx.Frame, v.ctx.Time = number, p.Time
	if v.headers = h; h != nil {
		return
	}
	v.headers = &v.decoded
	c := wire.NewCut(p.Data, p.WireLen, nil)
	v.decoder.Decode(&c, p.Link, v.headers, nil)
}

// layers records the fields below SMB, once ctx says what is known of the frame.
func (v *frameView) layers(p *captures.Packet) {
	if v.tree == nil {
		return
	}
	var c wire.Cursor
	c.Reset(p.Data, p.WireLen, v.tree)
	if v.above {
		v.lower, v.own = 0, 1
		return
	}
	v.ctx.Joined = v.whole != nil
	v.decoder.Again(&c, p.Link, v.headers, &v.ctx)
	if v.whole != nil {
		c := wire.New(v.whole, v.tree)
		v.decoder.IPPayload(&c, v.headers, v.headers.Proto, &v.ctx)
	}
	v.own, v.lower = len(v.tree.Bufs), len(v.tree.Nodes)
}

// roce shows the packet of InfiniBand that the frame carries, if it is one.
func (v *frameView) roce() {
	h := v.headers
	if !isRoCE(h) {
		return
	}
	c := v.part(h.Payload, h.PayloadLen)
	v.met(&c, "infiniband")
	p, src, dst, ok := queuePacket(&v.ib, &c, h)
	if ok {
		v.under, v.underName = p.AppendInfo(v.under), [...]string{ib.RoCEv2: "RRoCE", ib.RoCEv1: "RoCE", ib.InfiniBand: "InfiniBand"}[p.Carrier]
		v.payload = &p.Payload
	}
	if p.Carrier != ib.RoCEv2 && src.IsValid() {
		v.ends[0], v.ends[1] = v.gid(src), v.gid(dst)
	}
	v.lower = v.nodes()
}

// carried returns what the packet at hand carries, as long as nobody has decoded it.
func (v *frameView) carried() []byte {
	if v.payload == nil {
		return nil
	}
	look := v.payload.Ahead()
	return look.Rest(fSession)
}

// undecoded shows the payload that nobody has decoded.
func (v *frameView) undecoded() {
	if v.payload != nil && v.payload.Len() > 0 && v.payload.Recording() {
		v.met(v.payload, "data")
		ib.Data(v.payload)
	}
	v.payload = nil
}

// mpa shows a unit of MPA that ends in the frame: a start-up frame, or an FPDU that s was
// read in.
func (v *frameView) mpa(u *iwarp.Unit, s *iwarp.Segment) {
	v.undecoded()
	v.under, v.underName = v.under[:0], "MPA"
	if !v.bare {
		v.under = strconv.AppendUint(v.under, uint64(v.headers.SrcPort), 10)
		v.under = append(v.under, " > "...)
		v.under = append(strconv.AppendUint(v.under, uint64(v.headers.DstPort), 10), ' ')
	}
	switch {
	case s != nil:
		v.under, v.underName = s.AppendInfo(v.under), "DDP/RDMA"
	case iwarp.IsReply(u.Bytes):
		v.under = append(v.under, "MPA Reply Frame"...)
	default:
		v.under = append(v.under, "MPA Request Frame"...)
	}
	if v.tree == nil {
		return
	}
	raw := v.lying("Reassembled TCP", u.Raw, u.Size)
	c := raw
	if u.Markers > 0 {
		c = v.lying("FPDU without markers", u.Bytes, u.Len)
	}
	v.met(&c, "iwarp_mpa")
	if s == nil {
		var start iwarp.Startup
		start.Decode(&c)
	} else {
		v.met(&c, "iwarp_ddp_rdmap")
		u.Decode(&v.segment, &c, &raw)
		v.payload = &v.segment.Payload
	}
	v.lower = v.nodes()
}

// lying returns a cursor over b, size bytes on the wire: within the frame's own bytes, if
// they hold it, else over a copy.
func (v *frameView) lying(name string, b []byte, size int) wire.Cursor {
	for buf, own := range v.tree.Bufs[:v.own] {
		for i := 0; len(b) > 0 && i+len(b) <= len(own); i++ {
			if &own[i] == &b[0] {
				return v.tree.Part(uint16(buf), i, size)
			}
		}
	}
	if len(b) == size {
		return wire.NewNamed(name, bytes.Clone(b), v.tree)
	}
	return wire.NewCut(bytes.Clone(b), size, v.tree)
}

// direct shows a message of SMB Direct that ends in the frame: in the frame's own bytes,
// if they hold it.
func (v *frameView) direct(b []byte, size int, kind smbd.Kind) {
	v.under, v.underName = append(v.under[:0], kind.String()...), "SMBDirect"
	if v.tree == nil || len(b) == 0 {
		return
	}
	var c wire.Cursor
	if body := v.carried(); len(body) > 0 && (&body[0] == &b[0] || bytes.Equal(body, b)) {
		c, v.payload = *v.payload, nil
	} else {
		c = wire.NewNamed("Reassembled SEND", bytes.Clone(b), v.tree)
	}
	v.met(&c, "smb_direct")
	var m smbd.Message
	m.Decode(&c, kind)
	v.lower = v.nodes()
}

// part returns a cursor over b, size bytes on the wire: within the frame's own bytes, if
// they hold it.
func (v *frameView) part(b []byte, size int) wire.Cursor {
	if v.tree != nil && len(b) > 0 {
		for buf, own := range v.tree.Bufs[:v.own] {
			for i := 0; i+len(b) <= len(own); i++ {
				if &own[i] == &b[0] {
					return v.tree.Part(uint16(buf), i, size)
				}
			}
		}
	}
	return wire.NewCut(b, size, v.tree)
}

// cursor makes c a cursor over u: within the frame's own bytes, if they hold it, else
// over a copy, for the stream gathers the next message where it gathered this one.
func (v *frameView) cursor(c *wire.Cursor, u *unit) {
	if v.tree == nil || v.below {
		u.cursor(c, 0, nil)
		return
	}
	if u.first == v.ctx.Frame { // else it came in several frames, and was gathered
		for buf, b := range v.tree.Bufs[:v.own] {
			// A unit is mostly what the frame ends with.
			for i := len(b) - len(u.b); i >= 0; i-- {
				if &b[i] == &u.b[0] {
					v.tree.Within(c, uint16(buf), i, u.size)
					return
				}
			}
		}
	}
	start := len(v.arena)
	v.arena = append(v.arena, u.b...)
	kept := unit{b: v.arena[start:], size: u.size, head: u.head}
	kept.cursor(c, 0, v.tree)
}

// unit takes a session-service frame that ends in the frame, with the exchanges of
// its messages.
func (v *frameView) unit(a *Analyzer, u *unit, batch []delivered) {
	if len(u.b) == 0 || v.shallow {
		return
	}
	v.units++
	v.start = v.nodes()
	var cur, body wire.Cursor
	v.cursor(&cur, u)
	if !u.bare {
		var h netbios.Header
		netbios.Decode(&cur, &h, v.headers.SrcPort != 139 && v.headers.DstPort != 139)
		v.met(&cur, "nbss")
		if h.Type != 0 || cur.Len() < 4 {
			return
		}
	}
	cur.Split(&body, fSession, cur.Len())
	if len(v.info) > 0 {
		v.info = append(v.info, ", "...)
	}
	v.chain(a, u, &body, batch)
}

// met notes a protocol for frame.protocols.
func (v *frameView) met(c *wire.Cursor, name string) {
	if !v.above {
		v.decoder.Above(c, name)
	}
}

// nodes returns how many nodes the tree has.
func (v *frameView) nodes() int {
	if v.tree == nil {
		return 0
	}
	return len(v.tree.Nodes)
}

// chain decodes the messages that c is at.
func (v *frameView) chain(a *Analyzer, u *unit, c *wire.Cursor, batch []delivered) {
	v.upto = v.nodes()
	for i := 0; c.Len() > 0; i++ {
		v.context(a, batch, i)
		if i > 0 {
			v.info = append(v.info, ';')
		}
		v.message(a, u, c, batch, i)
	}
}

// message decodes the message that c is at, at its place in the chain, and says what it
// is.
func (v *frameView) message(a *Analyzer, u *unit, c *wire.Cursor, batch []delivered, place int) {
	switch smb2.ProtocolOf(c) {
	case smb2.ProtocolSMB1:
		v.met(c, "smb")
		v.info, v.name = v.old.Decode(c).AppendInfo(v.info), "SMB"
	case smb2.ProtocolTransform:
		v.met(c, "smb2")
		a.wrapped(v.conn, smb2.WrappedSession(c), &v.smbCtx)
		if u.plain == nil {
			v.info = v.smb.Transform(c, &v.smbCtx).AppendInfo(v.info)
			return
		}
		v.smb.Opened(c, &v.smbCtx, func(*smb2.TransformHeader) bool {
			v.info = append(v.info, "Decrypted SMB3;"...)
			within := *u
			within.plain = nil // what is encrypted twice stays so
			v.made(a, &within, "Decrypted SMB3", u.plain, batch)
			return true
		})
	case smb2.ProtocolCompressed:
		if !v.within {
			v.met(c, "smb2")
		}
		if u.grown == nil {
			v.info = u.appendShut(v.info, v.smb.Compressed(c))
			return
		}
		v.smb.Decompressed(c, func() {
			v.info = append(v.info, "Decomp. SMB3;"...)
			within := *u
			within.grown = nil // what is compressed twice stays so
			v.made(a, &within, "Decompressed SMB3", u.grown, batch)
		})
	default:
		if !v.within && place == 0 {
			v.met(c, "smb2")
		}
		from := v.nodes()
		m := v.smb.Decode(c, &v.smbCtx)
		if v.heard != nil {
			v.heard(v.at, v.lower, v.start, v.upto, from)
		}
		if m.RPC != nil {
			v.name = "DCERPC"
		}
		if v.tree != nil {
			for _, name := range v.tree.Met {
				v.met(c, name)
			}
			v.tree.Met = v.tree.Met[:0]
		}
		if !v.bare {
			v.info = m.AppendInfo(v.info, &v.smbCtx)
		}
	}
}

// made decodes what was made of a message: a buffer of its own.
func (v *frameView) made(a *Analyzer, u *unit, name string, b []byte, batch []delivered) {
	if v.tree != nil { // outlives what b is a part of
		b = bytes.Clone(b)
	}
	body := wire.NewNamed(name, b, v.tree)
	outer := v.within
	v.within = true
	v.chain(a, u, &body, batch)
	v.within = outer
}

// context fills the context of message i of a unit.
func (v *frameView) context(a *Analyzer, batch []delivered, i int) {
	v.at = delivered{}
	if i >= len(batch) || batch[i].x == 0 {
		v.smbCtx = smb2.Context{}
		return
	}
	d := batch[i]
	v.at = d
	a.exchanges.context(a, d.x, &v.smbCtx)
	e := a.exchanges.at(d.x)
	if d.response && e.reqFrame > v.ctx.Frame { // that came later: nobody could know it here
		lone := a.exchanges.alone(d.x)
		lone.context(a, &v.smbCtx)
	} else if d.response && e.reqFrame != 0 {
		v.smbCtx.RequestFrame = e.reqFrame
		v.smbCtx.Elapsed = durationOf(v.row.Time - e.reqTime)
		if e.command == smb2.SessionSetup && v.smbCtx.SessionFrame == v.ctx.Frame { // as Wireshark counts, up to here
			v.smbCtx.SessionFrame = e.reqFrame
		}
	}
}

// end finishes the row. part: the frame holds bytes of a message that ends in a later
// one, and the end of none.
func (v *frameView) end(marks Mark, part bool) {
	v.undecoded()
	v.row.Marks = marks
	if v.bare {
		return
	}
	h := v.headers
	if v.ends[0] != "" {
		v.row.Source, v.row.Dest = v.ends[0], v.ends[1]
	} else if h.Kind != inet.Other && h.Src.IsValid() {
		v.row.Source, v.row.Dest = v.ip(h.Src), v.ip(h.Dst)
	} else {
		v.row.Source, v.row.Dest = v.mac(h.LinkSrc), v.mac(h.LinkDst)
	}
	v.words = v.words[:0]
	switch {
	case len(v.info) > 0:
		v.row.Protocol = v.name
		v.words = append(inet.AppendWords(v.words, &v.ctx), v.info...)
	case len(v.under) > 0:
		v.row.Protocol = v.underName
		if h.Kind == inet.TCP {
			v.words = inet.AppendWords(v.words, &v.ctx)
		}
		v.words = append(v.words, v.under...)
	default:
		v.ctx.Segment = part
		v.row.Protocol = inet.Protocol(h)
		if part && frameSize(h.Payload) > 0 {
			v.words = append(inet.AppendWords(v.words, &v.ctx), "Session message [TCP segment of a reassembled PDU]"...)
			break
		}
		v.words = inet.AppendInfo(v.words, h, &v.ctx)
	}
	v.row.Info = string(v.words)
}

var broadcast = []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

// ip returns the text of an address, made once.
func (v *frameView) ip(a netip.Addr) string {
	s, ok := v.ips[a]
	if !ok {
		s = a.String()
		if v.ips == nil || len(v.ips) >= maxNames {
			v.ips = make(map[netip.Addr]string)
		}
		v.ips[a] = s
	}
	return s
}

// gid is ip for what stands in a route header of InfiniBand.
func (v *frameView) gid(a netip.Addr) string {
	s, ok := v.gids[a]
	if !ok {
		s = "GID: " + a.String()
		if lid, is := ib.LID(a); is {
			s = "LID: " + strconv.Itoa(int(lid))
		}
		if v.gids == nil || len(v.gids) >= maxNames {
			v.gids = make(map[netip.Addr]string)
		}
		v.gids[a] = s
	}
	return s
}

func (v *frameView) mac(b []byte) string {
	if bytes.Equal(b, broadcast) {
		return "Broadcast"
	}
	if len(b) != 6 {
		return net.HardwareAddr(b).String()
	}
	k := [6]byte(b)
	s, ok := v.macs[k]
	if !ok {
		s = net.HardwareAddr(b).String()
		if v.macs == nil || len(v.macs) >= maxNames {
			v.macs = make(map[[6]byte]string)
		}
		v.macs[k] = s
	}
	return s
}
