package flows

// RoCE and InfiniBand: queue pairs that carry SMB Direct are connections, as those of TCP
// are.

import (
	"net/netip"
	"slices"
	"sort"

	"github.com/odxray/odxray/captures"
	"github.com/odxray/odxray/dissect/inet"
	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/rdma"
	"github.com/odxray/odxray/rdma/ib"
	"github.com/odxray/odxray/rdma/iwarp"
	"github.com/odxray/odxray/rdma/smbd"
)

// isRoCE reports whether a frame carries a packet of InfiniBand, over whatever.
func isRoCE(h *inet.Headers) bool {
	return h.Kind == inet.UDP && h.DstPort == ib.Port || h.Kind == inet.InfiniBand
}

// queuePacket decodes the packet that c is at, the payload of a frame with headers h. ok is
// false if it is of no queue pair.
func queuePacket(d *ib.Decoder, c *wire.Cursor, h *inet.Headers) (p *ib.Packet, src, dst netip.Addr, ok bool) {
	switch {
	case h.Kind == inet.UDP:
		return d.Decode(c, h), h.Src, h.Dst, true
	case h.EtherType == ib.EtherType:
		p, ok = d.DecodeGlobal(c)
	default:
		p, ok = d.DecodeLink(c)
	}
	return p, p.Route.Src, p.Route.Dst, ok
}

// carriers are the transports by what carries them.
var carriers = [...]Transport{ib.RoCEv2: RoCEv2, ib.RoCEv1: RoCEv1, ib.InfiniBand: InfiniBand}

// directTable finds connections by their queue pairs.
type directTable struct {
	pairs   rdma.Table
	byPair  map[uint32]*conn // only those of SMB Direct
	overTCP []*conn          // the same of iWARP
	ib      ib.Decoder
	segment iwarp.Segment
	smbd    smbd.Message

	attempts   []Attempt
	latest     map[approach]int // in attempts
	operations int              // that are kept, of all connections
	histories  int              // connections that have one
	dismissed  int              // connections that were forgotten, because there were too many
}

// roce takes a packet of a queue pair.
func (a *Analyzer) roce(h *inet.Headers) {
	t := &a.direct
	p, src, dst := (*ib.Packet)(nil), h.Src, h.Dst
	if h.Kind == inet.UDP {
		p = t.ib.Usual(h)
	}
	if p == nil {
		var ok bool
		c := wire.NewCut(h.Payload, h.PayloadLen, nil)
		if p, src, dst, ok = queuePacket(&t.ib, &c, h); !ok || c.Failed() && c.Cause() != wire.ErrTruncated {
			return
		}
	}
	if h.Cut() {
		a.marks |= MarkCut
	}
	for _, e := range t.pairs.Packet(src, dst, p, a.frame, a.now) {
		var c *conn
		if e.Pair != nil {
			c = t.byPair[e.Pair.ID]
		}
		if c == nil && e.Kind == rdma.Sent {
			c = a.directOn(&e)
		}
		a.happened(c, &e)
	}
	pair := t.pairs.Current()
	if pair == nil {
		return
	}
	if congested(h.Lower) {
		pair.Marked++
	}
	if h.Cut() {
		if c := t.byPair[pair.ID]; c != nil {
			c.cutFrames++
		}
	}
}

// congested reports whether routers on the way of a packet had to mark it. RFC 3168 5
func congested(ip []byte) bool {
	const experienced = 3
	return len(ip) > 1 && (ip[0]>>4 == 4 && ip[1]&3 == experienced || ip[0]>>4 == 6 && ip[1]>>4&3 == experienced)
}

// directOn makes a connection of a queue pair, if what is sent on it is SMB Direct.
func (a *Analyzer) directOn(e *rdma.Event) *conn {
	t := &a.direct
	p := e.Pair
	if p.Port != smbd.Port && p.Port != smbd.PortIWARP && smbd.Recognise(e.Bytes) == smbd.Unknown {
		return nil
	}
	a.connCount++
	c := &conn{id: a.connCount, server: -1, first: p.First, last: a.frame, firstTime: a.now, lastTime: a.now, speaks: session,
		syn: p.By == rdma.ByConnect, direct: &direct{kind: carriers[p.Carrier], pair: p}}
	c.key = connKey{p.Ends[0].Addr, p.Ends[1].Addr, p.SrcPort, p.Port}
	if p.Names[0].IsValid() && p.Carrier != ib.RoCEv2 { // who reads it knows those
		c.key.lowAddr, c.key.highAddr = p.Names[0], p.Names[1]
	}
	if c.syn {
		c.server = 1
	} else {
		c.key.lowPort, c.key.highPort = ib.Port, ib.Port
	}
	if a.index != nil {
		a.index.conns.add(indexedConn{firstTime: a.now})
	}
	if t.byPair == nil {
		t.byPair = make(map[uint32]*conn)
	}
	t.byPair[p.ID] = c
	return c
}

// indexedSend is a message of SMB Direct: which frames brought it, and which the SMB
// message that is whole with it. Both lists are in index.brought; over iWARP they are
// places instead of frames.
type indexedSend struct {
	frame      uint32 // in which it ends
	conn       uint32
	parts, all uint32 // where the lists begin
	nAll       uint32 // 0 if no SMB message is whole with it
	nParts     uint16
	kind       smbd.Kind
	dir        uint8
}

// send adds a message of SMB Direct.
func (ix *index) send(frame, conn uint32, kind smbd.Kind, dir int, parts, all []uint32) {
	s := indexedSend{frame: frame, conn: conn, kind: kind, dir: uint8(dir), parts: uint32(ix.brought.n), nParts: uint16(len(parts)), nAll: uint32(len(all))}
	for _, n := range parts {
		ix.brought.add(n)
	}
	s.all = s.parts
	if !slices.Equal(parts, all) {
		s.all = uint32(ix.brought.n)
		for _, n := range all {
			ix.brought.add(n)
		}
	}
	ix.sends.add(s)
}

// sendsIn returns the position of the first message of SMB Direct that ends in frame n or
// later.
func (ix *index) sendsIn(n uint32) int {
	gone := ix.sends.gone
	return gone + sort.Search(ix.sends.n-gone, func(i int) bool { return ix.sends.at(gone+i).frame >= n })
}

// resend gathers the message that frames brought, or, of messages of SMB Direct with data,
// the data joined.
func (ix *index) resend(r captures.Source, from, n uint32, data bool) (b []byte, size int, err error) {
	var p captures.Packet
	var d inet.Decoder
	var h inet.Headers
	var t ib.Decoder
	var m smbd.Message
	var part []byte
	partSize := 0
	for i := from; i < from+n; i++ {
		frame := *ix.brought.at(int(i))
		if int(frame) <= ix.frames.gone {
			continue // what is left is a cut message
		}
		if err := r.At(int64(ix.frames.at(int(frame)-1).pos&(1<<posBits-1)), &p); err != nil {
			return nil, 0, err
		}
		c := wire.NewCut(p.Data, p.WireLen, nil)
		d.Decode(&c, p.Link, &h, nil)
		if whole := ix.datagram(r, frame); whole != nil {
			joined(whole, &h)
		}
		c = wire.NewCut(h.Payload, h.PayloadLen, nil)
		q, _, _, _ := queuePacket(&t, &c, &h)
		body, bodySize := q.Body()
		part, partSize = goOn(part, partSize, body), partSize+bodySize
		if q.Opcode == ib.SendFirst || q.Opcode == ib.SendMiddle {
			continue
		}
		if !data {
			return part, partSize, nil
		}
		c = wire.NewCut(part, partSize, nil)
		m.Decode(&c, smbd.DataTransfer)
		b, size = goOn(b, size, m.Bytes()), size+int(m.DataLength)
		part, partSize = part[:0], 0
	}
	return b, size, nil
}

// goOn appends what comes next to b, unless something of the size bytes before it is
// missing.
func goOn(b []byte, size int, next []byte) []byte {
	if len(b) < size {
		return b
	}
	return append(b, next...)
}
