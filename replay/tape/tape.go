// Package tape writes what the two sides of connections say as a capture: Ethernet, IP
// and TCP headers are made up around it, so that every tool reads it.
package tape

import (
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/odxray/odxray/captures"
	"github.com/odxray/odxray/captures/linktype"
)

// Tape is a capture that is being written. Its connections may be used by several
// goroutines at once.
type Tape struct {
	mu   sync.Mutex
	w    *captures.Writer
	err  error
	next uint16 // port of a client that has none
}

// New begins a pcapng that says which application made it, and in the comment how.
func New(w io.Writer, application, comment string) (*Tape, error) {
	out, err := captures.NewWriter(w, captures.WriterOptions{Application: application, Comments: []string{comment}})
	return &Tape{w: out, next: 40000}, err
}

// Err returns the first error of writing.
func (t *Tape) Err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

// Sides of a connection.
const (
	Client = 0
	Server = 1
)

// segment is how many bytes of payload are in one packet at most.
const segment = 32 << 10

// Conn is one connection of a Tape. A nil one records nothing.
type Conn struct {
	t     *Tape
	sides [2]netip.AddrPort
	seq   [2]uint32 // the next number of what each side says
	id    uint16
}

const (
	fin byte = 1 << iota
	syn
	_
	psh
	ack
)

// Conn begins a connection, with a handshake, so that readers know where the streams
// begin. Addresses that are none of TCP's are made up.
func (t *Tape) Conn(client, server net.Addr, at time.Time) *Conn {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := &Conn{t: t, sides: [2]netip.AddrPort{t.address(client), t.address(server)}, seq: [2]uint32{1000, 2000}}
	if a := c.sides[Server].Addr(); c.sides[Client].Addr().Is4() != a.Is4() {
		c.sides[Client] = netip.AddrPortFrom(a, c.sides[Client].Port())
	}
	c.packet(Client, at, syn, nil)
	c.seq[Client]++
	c.packet(Server, at, syn|ack, nil)
	c.seq[Server]++
	c.packet(Client, at, ack, nil)
	return c
}

func (t *Tape) address(a net.Addr) netip.AddrPort {
	if tcp, ok := a.(*net.TCPAddr); ok {
		p := tcp.AddrPort()
		return netip.AddrPortFrom(p.Addr().Unmap().WithZone(""), p.Port())
	}
	t.next++
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), t.next)
}

// Record writes what a side says.
func (c *Conn) Record(side int, at time.Time, parts ...[]byte) {
	if c == nil {
		return
	}
	c.t.mu.Lock()
	defer c.t.mu.Unlock()
	var all []byte
	if len(parts) == 1 {
		all = parts[0]
	} else {
		for _, p := range parts {
			all = append(all, p...)
		}
	}
	for len(all) > 0 {
		n := min(len(all), segment)
		flags := ack
		if n == len(all) {
			flags |= psh
		}
		c.packet(side, at, flags, all[:n])
		c.seq[side] += uint32(n)
		all = all[n:]
	}
}

// Close ends the connection.
func (c *Conn) Close(at time.Time) {
	if c == nil {
		return
	}
	c.t.mu.Lock()
	defer c.t.mu.Unlock()
	c.packet(Client, at, fin|ack, nil)
	c.seq[Client]++
	c.packet(Server, at, fin|ack, nil)
	c.seq[Server]++
	c.packet(Client, at, ack, nil)
}

// packet writes a segment. t.mu is held.
func (c *Conn) packet(side int, at time.Time, flags byte, payload []byte) {
	be := binary.BigEndian
	src, dst := c.sides[side], c.sides[1-side]
	c.id++

	tcp := be.AppendUint16(nil, src.Port())
	tcp = be.AppendUint16(tcp, dst.Port())
	tcp = be.AppendUint32(tcp, c.seq[side])
	acked := c.seq[1-side]
	if flags&ack == 0 {
		acked = 0
	}
	tcp = be.AppendUint32(tcp, acked)
	tcp = append(tcp, 5<<4, flags, 0xff, 0xff, 0, 0, 0, 0)
	tcp = append(tcp, payload...)
	from, to := src.Addr().AsSlice(), dst.Addr().AsSlice()
	pseudo := append(append([]byte(nil), from...), to...)
	pseudo = be.AppendUint32(pseudo, uint32(len(tcp)))
	pseudo = append(pseudo, 0, 0, 0, 6)
	be.PutUint16(tcp[16:], checksum(pseudo, tcp))

	mac := func(last int) []byte { return []byte{2, 0, 0, 0, 0, byte(last)} }
	b := append(mac(2-side), mac(1+side)...)
	if src.Addr().Is4() {
		b = append(b, 0x08, 0x00)
		ip := be.AppendUint16([]byte{0x45, 0}, uint16(20+len(tcp)))
		ip = be.AppendUint16(ip, c.id)
		ip = append(ip, 0x40, 0, 64, 6, 0, 0)
		ip = append(append(ip, from...), to...)
		be.PutUint16(ip[10:], checksum(ip))
		b = append(b, ip...)
	} else {
		b = append(b, 0x86, 0xdd, 0x60, 0, 0, 0)
		b = be.AppendUint16(b, uint16(len(tcp)))
		b = append(b, 6, 64)
		b = append(append(b, from...), to...)
	}
	b = append(b, tcp...)
	if err := c.t.w.Packet(&captures.Packet{Time: at.UnixNano(), Link: linktype.Ethernet, WireLen: len(b), Data: b}); err != nil && c.t.err == nil {
		c.t.err = err
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
