package flowtest

import (
	"encoding/binary"
	"hash/crc32"
)

// IWARP is a connection of SMB Direct over iWARP. Index 0 is the client, on both ends.
type IWARP struct {
	*Conn
	Options IWARPOptions
	Limits  [2]Limits

	// How the next message goes; it resets it.
	Invalidate uint32 // STag that it ends; 0 for none

	begins [2]uint32 // sequence number of the first FPDU of an end
	msn    [2]uint32 // of the latest message of an end in queue 0
	reads  [2]uint32 // likewise in queue 1
	sent   [2]int    // FPDUs of an end
	due    [2]int    // credits that an end has to give back
	corked []corked  // FPDUs that wait for Flow
	cork   bool
}

type corked struct {
	from int
	b    []byte
}

// IWARPOptions is what the two ends agree on at start-up.
type IWARPOptions struct {
	Revision byte // of MPA; 0 is 1
	Markers  bool // both ways
	Checks   bool // checksums
	Most     int  // bytes of data of a DDP segment; 0 for 1400
	Late     bool // the capture comes late to all of that
}

// IWARP adds a connection with its start-up, and the negotiation of SMB Direct.
func (c *Capture) IWARP(client, server string, o IWARPOptions) *IWARP {
	limits := Limits{Credits: 255, Send: 1364, Receive: 1364, Fragmented: 1 << 20, ReadWrite: 8 << 20}
	w := &IWARP{Options: o, Limits: [2]Limits{limits, limits}}
	if o.Most == 0 {
		w.Options.Most = 1400
	}
	if o.Late {
		w.Conn = c.Midway(client, server)
		w.msn = [2]uint32{40, 40}
		return w
	}
	w.Conn = c.Dial(client, server)
	w.startup(0, "MPA ID Req Frame")
	w.startup(1, "MPA ID Rep Frame")
	w.begins = w.seq
	q, a := &w.Limits[0], &w.Limits[1]
	w.Message0(0, cat(u16(0x100), u16(0x100), u16(0), u16(q.Credits), u32(q.Send), u32(q.Receive), u32(q.Fragmented)))
	w.Message0(1, cat(u16(0x100), u16(0x100), u16(0x100), u16(0), u16(a.Credits), u16(a.Credits), u32(0), u32(a.ReadWrite), u32(a.Send), u32(a.Receive), u32(a.Fragmented)))
	w.due = [2]int{int(q.Credits), 0}
	return w
}

// startup adds a start-up frame. RFC 5044 7.1.1, RFC 6581 9
func (w *IWARP) startup(from int, key string) {
	flags, revision, private := byte(0), max(w.Options.Revision, 1), []byte(nil)
	if w.Options.Markers {
		flags |= 0x80
	}
	if w.Options.Checks {
		flags |= 0x40
	}
	if revision > 1 {
		flags, private = flags|0x10, []byte{0, 32, 0, 16}
	}
	w.Conn.Send(from, cat([]byte(key), []byte{flags, revision, 0, byte(len(private))}, private))
}

// Client is one whose messages go over the connection, not logged in yet.
func (w *IWARP) Client() *Client {
	n := &Conn{Capture: w.Capture, ends: w.ends, over: w.Message}
	return &Client{Conn: n, Session: 0x100000000001, Tree: 7}
}

// Message adds a message of SMB2 in as many fragments as it takes, and returns the last
// frame. [MS-SMBD] 3.1.5.2
func (w *IWARP) Message(from int, m []byte) (frame int) {
	key := w.Invalidate
	for most := int(w.Limits[1-from].Receive) - 24; ; {
		n := min(len(m), most)
		if w.Invalidate = 0; n == len(m) {
			w.Invalidate = key
		}
		grant := w.due[from]
		w.due[from] = 0
		w.due[1-from]++
		frame = w.Message0(from, cat(u16(w.Limits[from].Credits), u16(uint16(grant)), u16(0), u16(0), u32(uint32(len(m)-n)), u32(24), u32(uint32(n)), u32(0), m[:n]))
		if m = m[n:]; len(m) == 0 {
			return frame
		}
	}
}

// Message0 adds a message of RDMAP in queue 0, in as many segments as it takes.
func (w *IWARP) Message0(from int, b []byte) (frame int) {
	w.msn[from]++
	op := byte(3)
	if w.Invalidate != 0 {
		op = 4
	}
	for at := 0; ; {
		n := min(len(b)-at, w.Options.Most)
		last := at+n == len(b)
		frame = w.Segment(from, cat(control(false, last, op), big(w.Invalidate, 0, w.msn[from], uint32(at)), b[at:at+n]))
		if at += n; last {
			w.Invalidate = 0
			return frame
		}
	}
}

// Write adds an RDMA Write of one end into the memory of the other, and returns its first
// frame.
func (w *IWARP) Write(by int, stag uint32, offset uint64, b []byte) (first int) {
	return w.tagged(by, 0, stag, offset, b)
}

// Read adds an RDMA Read by one end from the memory of the other, and returns the frame of
// the request.
func (w *IWARP) Read(by int, stag uint32, offset uint64, b []byte) (first int) {
	sink := 0xabc00 + w.reads[by]
	w.reads[by]++
	first = w.Segment(by, cat(control(false, true, 1), big(0, 1, w.reads[by], 0), big(sink), binary.BigEndian.AppendUint64(nil, 0x5000),
		big(uint32(len(b)), stag), binary.BigEndian.AppendUint64(nil, offset)))
	w.tagged(1-by, 2, sink, 0x5000, b)
	return first
}

func (w *IWARP) tagged(from int, op byte, stag uint32, offset uint64, b []byte) (first int) {
	for {
		n := min(len(b), w.Options.Most)
		last := n == len(b)
		frame := w.Segment(from, cat(control(true, last, op), big(stag), binary.BigEndian.AppendUint64(nil, offset), b[:n]))
		if first == 0 {
			first = frame
		}
		if b, offset = b[n:], offset+uint64(n); last {
			return first
		}
	}
}

// Terminate adds the message that ends a connection: an error of RDMAP, code 1.
func (w *IWARP) Terminate(from int) int {
	return w.Segment(from, cat(control(false, true, 7), big(0, 2, 1, 0), []byte{1, 1, 0, 0}))
}

func control(tagged, last bool, op byte) []byte {
	b := []byte{1, 0x40 | op}
	if tagged {
		b[0] |= 0x80
	}
	if last {
		b[0] |= 0x40
	}
	return b
}

func big(list ...uint32) (b []byte) {
	for _, v := range list {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return b
}

// Together sends what f sends as one stretch of bytes an end, cut into segments without
// regard to FPDUs.
func (w *IWARP) Together(f func()) {
	w.cork = true
	f()
	w.cork = false
	var list [2][]byte
	for _, c := range w.corked {
		list[c.from] = append(list[c.from], c.b...)
	}
	first := 0
	if len(w.corked) > 0 {
		first = w.corked[0].from
	}
	w.corked = nil
	w.Conn.Send(first, list[first])
	w.Conn.Send(1-first, list[1-first])
}

// Segment adds a DDP segment as an FPDU. RFC 5044 4
func (w *IWARP) Segment(from int, segment []byte) int {
	at := w.seq[from] - w.begins[from]
	for _, c := range w.corked {
		if c.from == from {
			at += uint32(len(c.b))
		}
	}
	body := cat([]byte{byte(len(segment) >> 8), byte(len(segment))}, segment)
	body = append(body, make([]byte, -len(body)&3)...)
	var b []byte
	mark := func() {
		if w.Options.Markers && (at+uint32(len(b)))%512 == 0 {
			b = append(b, 0, 0, byte(len(b)>>8), byte(len(b)))
		}
	}
	for i := 0; i < len(body); i += 4 { // FPDUs and markers are whole words
		mark()
		b = append(b, body[i:i+4]...)
	}
	mark()
	sum := uint32(0)
	if w.Options.Checks {
		sum = crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli))
	}
	b = append(b, u32(sum)...)
	if w.cork {
		w.corked = append(w.corked, corked{from, b})
		return len(w.Packets)
	}
	frame := w.Conn.Send(from, b)
	if w.sent[from]++; w.AckEvery > 0 && w.sent[from]%w.AckEvery == 0 {
		w.Ack(1 - from)
	}
	return frame
}
