// Package flowtest builds captures for tests, frame by frame: who says what to whom,
// and what the network did to it. It knows the wire by its own means, so that tests
// do not check decoders against themselves.
package flowtest

import (
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/odxray/odxray/captures"
	"github.com/odxray/odxray/captures/linktype"
)

// Capture is the frames built so far. The zero Capture begins in 2026.
type Capture struct {
	Packets []captures.Packet
	now     time.Duration // since start
}

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// Wait lets time pass before the next frame.
func (c *Capture) Wait(d time.Duration) { c.now += d }

// Frame adds an Ethernet frame, a tenth of a millisecond after the one before, and
// returns its number.
func (c *Capture) Frame(data []byte) int {
	c.now += 100 * time.Microsecond
	c.Packets = append(c.Packets, captures.Packet{
		Number: len(c.Packets) + 1, Time: start.Add(c.now).UnixNano(), Link: linktype.Ethernet, WireLen: len(data), Data: data,
	})
	return len(c.Packets)
}

// Drop takes the last n frames out of the capture: they were on the wire.
func (c *Capture) Drop(n int) { c.Packets = c.Packets[:len(c.Packets)-n] }

// Conn is a TCP connection. Index 0 is the client.
type Conn struct {
	*Capture
	AckEvery int // the other end acknowledges so many segments at once; 0: never by a frame of its own
	ends     [2]netip.AddrPort
	seq      [2]uint32
	id       uint16
	over     func(from int, message []byte) int // carries messages in TCP's place; nil over TCP
}

// Dial adds a handshake. Both are "address:port".
func (c *Capture) Dial(client, server string) *Conn {
	n := c.Midway(client, server)
	n.segment(0, 0x02, nil)
	n.seq[0]++
	n.segment(1, 0x12, nil)
	n.seq[1]++
	n.segment(0, 0x10, nil)
	return n
}

// Knock adds a SYN that nobody answers.
func (c *Capture) Knock(client, server string) { c.Midway(client, server).segment(0, 0x02, nil) }

// Midway begins a connection that the capture comes late to.
func (c *Capture) Midway(client, server string) *Conn {
	return &Conn{Capture: c, ends: [2]netip.AddrPort{netip.MustParseAddrPort(client), netip.MustParseAddrPort(server)}, seq: [2]uint32{1000, 5000}}
}

// Send adds what one end sends, in segments of at most 1460 bytes, and returns the
// number of the last frame.
func (n *Conn) Send(from int, data []byte) (frame int) {
	if n.over != nil {
		return n.over(from, data[4:]) // without the session-service header
	}
	for i := 1; len(data) > 0; i++ {
		k := min(len(data), 1460)
		frame = n.segment(from, 0x18, data[:k])
		n.seq[from] += uint32(k)
		data = data[k:]
		if n.AckEvery > 0 && i%n.AckEvery == 0 && len(data) > 0 {
			n.Ack(1 - from)
		}
	}
	return frame
}

// SendAt adds a segment at an offset, in bytes, from where Send would go on.
func (n *Conn) SendAt(from, offset int, data []byte) int {
	was := n.seq[from]
	n.seq[from] += uint32(offset)
	frame := n.segment(from, 0x18, data)
	n.seq[from] = was
	return frame
}

// Skip makes Send leave out bytes: they were on the wire and in no frame.
func (n *Conn) Skip(from, bytes int) { n.seq[from] += uint32(bytes) }

// Ack adds a segment without data.
func (n *Conn) Ack(from int) int { return n.segment(from, 0x10, nil) }

// Reset ends the connection.
func (n *Conn) Reset(from int) int { return n.segment(from, 0x14, nil) }

// Finish ends the connection from one side.
func (n *Conn) Finish(from int) int { return n.segment(from, 0x11, nil) }

// segment adds Ethernet, IPv4 and TCP headers. RFC 791, RFC 9293
func (n *Conn) segment(from int, flags byte, data []byte) int {
	src, dst := n.ends[from], n.ends[1-from]
	b := make([]byte, 54, 54+len(data))
	copy(b, "\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02\x08\x00")
	b[5], b[11] = byte(2-from), byte(1+from)
	ip := b[14:]
	ip[0], ip[8], ip[9] = 0x45, 64, 6
	binary.BigEndian.PutUint16(ip[2:], uint16(40+len(data)))
	n.id++
	binary.BigEndian.PutUint16(ip[4:], n.id)
	copy(ip[12:], src.Addr().AsSlice())
	copy(ip[16:], dst.Addr().AsSlice())
	tcp := ip[20:]
	binary.BigEndian.PutUint16(tcp, src.Port())
	binary.BigEndian.PutUint16(tcp[2:], dst.Port())
	binary.BigEndian.PutUint32(tcp[4:], n.seq[from])
	if flags&0x10 != 0 {
		binary.BigEndian.PutUint32(tcp[8:], n.seq[1-from])
	}
	tcp[12], tcp[13] = 0x50, flags
	binary.BigEndian.PutUint16(tcp[14:], 0x7000)
	return n.Frame(append(b, data...))
}
