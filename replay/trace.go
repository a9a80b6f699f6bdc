package replay

// The run as a capture: what was sent and received, with headers below SMB made up around
// it. Messages that travelled encrypted are written as they were before, so that the
// capture can be read without a key.

import (
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"sync"

	"github.com/odxray/odxray/captures"
	"github.com/odxray/odxray/captures/linktype"
	"github.com/odxray/odxray/replay/client"
)

// Trace writes a pcapng of a run.
type Trace struct {
	mu    sync.Mutex
	w     *captures.Writer
	err   error
	conns map[int]*traced
}

// traced is a connection in a Trace, with the sequence numbers that its two sides have
// reached.
type traced struct {
	client, server netip.AddrPort
	seq            [2]uint32 // of the client, of the server
}

// NewTrace begins a capture.
func NewTrace(w io.Writer) (*Trace, error) {
	x, err := captures.NewWriter(w, captures.WriterOptions{
		Application: "odxray replay", Comments: []string{"made by odxray replay: the headers below SMB are made up, and what was encrypted on its way is not"},
	})
	return &Trace{w: x, conns: make(map[int]*traced)}, err
}

// Err returns the first error of writing.
func (t *Trace) Err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

const (
	fromClient  = 0
	fromServer  = 1
	segmentSize = 1 << 15 // bytes that a frame of the trace carries
	tcpSYN      = 0x02
	tcpPSH      = 0x08
	tcpACK      = 0x10
)

// Tap is an Options.Tap.
func (t *Trace) Tap(conn int, local, remote net.Addr, u *client.Unit) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.conns[conn]
	at := u.Time.UnixNano()
	if c == nil {
		c = &traced{client: addressOf(local), server: addressOf(remote), seq: [2]uint32{1000, 2000}}
		t.conns[conn] = c
		t.frame(c, fromClient, at, tcpSYN, nil) // so that readers know where the streams begin
		c.seq[fromClient]++
		t.frame(c, fromServer, at, tcpSYN|tcpACK, nil)
		c.seq[fromServer]++
		t.frame(c, fromClient, at, tcpACK, nil)
	}
	from := fromServer
	if u.Sent {
		from = fromClient
	}
	unit := u.Plain
	if unit == nil {
		unit = u.Wire
	}
	b := append(binary.BigEndian.AppendUint32(nil, uint32(len(unit))), unit...)
	for len(b) > 0 {
		part := b[:min(len(b), segmentSize)]
		t.frame(c, from, at, tcpACK|tcpPSH, part)
		c.seq[from] += uint32(len(part))
		b = b[len(part):]
	}
}

func addressOf(a net.Addr) netip.AddrPort {
	if p, err := netip.ParseAddrPort(a.String()); err == nil {
		return netip.AddrPortFrom(p.Addr().Unmap().WithZone(""), p.Port())
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 445) // of a transport without addresses
}

// frame writes a TCP segment.
func (t *Trace) frame(c *traced, from int, at int64, flags byte, payload []byte) {
	be := binary.BigEndian
	src, dst := c.client, c.server
	if from == fromServer {
		src, dst = dst, src
	}
	tcp := be.AppendUint16(be.AppendUint16(nil, src.Port()), dst.Port())
	tcp = be.AppendUint32(tcp, c.seq[from])
	ack := c.seq[1-from]
	if flags&tcpACK == 0 {
		ack = 0
	}
	tcp = append(be.AppendUint32(tcp, ack), 5<<4, flags, 0xff, 0xff, 0, 0, 0, 0)
	tcp = append(tcp, payload...)
	a, b := src.Addr().AsSlice(), dst.Addr().AsSlice()
	pseudo := append(append([]byte(nil), a...), b...)
	be.PutUint16(tcp[16:], checksum(append(be.AppendUint32(pseudo, uint32(len(tcp))), 0, 0, 0, 6), tcp))
	var ip []byte
	if src.Addr().Is4() && dst.Addr().Is4() {
		ip = be.AppendUint16([]byte{0x45, 0}, uint16(20+len(tcp)))
		ip = append(ip, 0, 0, 0x40, 0, 64, 6, 0, 0)
		ip = append(append(ip, a...), b...)
		be.PutUint16(ip[10:], checksum(ip))
	} else {
		ip = append(be.AppendUint16([]byte{0x60, 0, 0, 0}, uint16(len(tcp))), 6, 64)
		ip = append(append(ip, a...), b...)
	}
	ip = append(ip, tcp...)
	if err := t.w.Packet(&captures.Packet{Time: at, Link: linktype.Raw, WireLen: len(ip), Data: ip}); err != nil && t.err == nil {
		t.err = err
	}
}

// checksum is the Internet's, of parts of even length but for the last. RFC 1071
func checksum(parts ...[]byte) uint16 {
	sum := uint32(0)
	for _, p := range parts {
		for i := 0; i+1 < len(p); i += 2 {
			sum += uint32(p[i])<<8 | uint32(p[i+1])
		}
		if len(p)%2 == 1 {
			sum += uint32(p[len(p)-1]) << 8
		}
		for sum>>16 != 0 {
			sum = sum&0xffff + sum>>16
		}
	}
	return ^uint16(sum)
}
