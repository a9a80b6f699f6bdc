package server

import (
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/odxray/odxray/captures"
	"github.com/odxray/odxray/captures/linktype"
)

// tape writes what connections say as a capture: Ethernet, IP and TCP headers are made
// up around it, so that every tool reads it.
type tape struct {
	mu   sync.Mutex
	w    *captures.Writer
	err  error
	next uint16       // port of a client that has none
	gain atomic.Int64 // nanoseconds that its clock goes ahead of the time; tests wait by it
}

const (
	fromClient = false
	fromServer = true

	segment = 32 << 10 // bytes of payload in one packet at most
)

func newTape(w io.Writer) (*tape, error) {
	out, err := captures.NewWriter(w, captures.WriterOptions{Application: "odxray serve", Comments: []string{"made by odxray serve: the headers below SMB are made up"}})
	return &tape{w: out, next: 40000}, err
}

func (t *tape) problem() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

// tapeConn is one connection of a tape. A nil one records nothing.
type tapeConn struct {
	t      *tape
	client netip.AddrPort
	server netip.AddrPort
	seq    [2]uint32 // next number of what the client, and the server, says
	id     uint16
}

// conn begins a connection.
func (t *tape) conn(nc net.Conn) *tapeConn {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := &tapeConn{t: t, client: t.address(nc.RemoteAddr()), server: t.address(nc.LocalAddr()), seq: [2]uint32{1000, 2000}}
	if c.client.Addr().Is4() != c.server.Addr().Is4() {
		c.client = netip.AddrPortFrom(c.server.Addr(), c.client.Port())
	}
	const fin, syn, ack = 1, 2, 16
	_ = fin
	c.packet(fromClient, syn, nil)
	c.seq[0]++
	c.packet(fromServer, syn|ack, nil)
	c.seq[1]++
	c.packet(fromClient, ack, nil)
	return c
}

func (t *tape) address(a net.Addr) netip.AddrPort {
	if tcp, ok := a.(*net.TCPAddr); ok {
		p := tcp.AddrPort()
		return netip.AddrPortFrom(p.Addr().Unmap().WithZone(""), p.Port())
	}
	t.next++
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), t.next)
}

// record writes what one side says.
func (c *tapeConn) record(server bool, parts ...[]byte) {
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
	const psh, ack = 8, 16
	for len(all) > 0 {
		n := min(len(all), segment)
		flags := byte(ack)
		if n == len(all) {
			flags |= psh
		}
		c.packet(server, flags, all[:n])
		c.seq[side(server)] += uint32(n)
		all = all[n:]
	}
}

// close ends the connection.
func (c *tapeConn) close() {
	if c == nil {
		return
	}
	c.t.mu.Lock()
	defer c.t.mu.Unlock()
	const fin, ack = 1, 16
	c.packet(fromClient, fin|ack, nil)
	c.seq[0]++
	c.packet(fromServer, fin|ack, nil)
	c.seq[1]++
	c.packet(fromClient, ack, nil)
}

func side(server bool) int {
	if server {
		return 1
	}
	return 0
}

// packet writes a segment. t.mu is held.
func (c *tapeConn) packet(server bool, flags byte, payload []byte) {
	be := binary.BigEndian
	src, dst := c.client, c.server
	if server {
		src, dst = dst, src
	}
	me, you := side(server), side(!server)
	c.id++

	tcp := be.AppendUint16(nil, src.Port())
	tcp = be.AppendUint16(tcp, dst.Port())
	tcp = be.AppendUint32(tcp, c.seq[me])
	ack := c.seq[you]
	if flags&16 == 0 {
		ack = 0
	}
	tcp = be.AppendUint32(tcp, ack)
	tcp = append(tcp, 5<<4, flags, 0xff, 0xff, 0, 0, 0, 0)
	tcp = append(tcp, payload...)
	pseudo := append(src.Addr().AsSlice(), dst.Addr().AsSlice()...)
	pseudo = be.AppendUint32(pseudo, uint32(len(tcp)))
	pseudo = append(pseudo, 0, 0, 0, 6)
	be.PutUint16(tcp[16:], checksum(pseudo, tcp))

	mac := func(last byte) []byte { return []byte{2, 0, 0, 0, 0, last} }
	b := append(mac(byte(1+you)), mac(byte(1+me))...)
	if src.Addr().Is4() {
		b = append(b, 0x08, 0x00)
		ip := be.AppendUint16([]byte{0x45, 0}, uint16(20+len(tcp)))
		ip = be.AppendUint16(ip, c.id)
		ip = append(ip, 0x40, 0, 64, 6, 0, 0)
		ip = append(append(ip, src.Addr().AsSlice()...), dst.Addr().AsSlice()...)
		be.PutUint16(ip[10:], checksum(ip))
		b = append(b, ip...)
	} else {
		b = append(b, 0x86, 0xdd, 0x60, 0, 0, 0)
		b = be.AppendUint16(b, uint16(len(tcp)))
		b = append(b, 6, 64)
		b = append(append(b, src.Addr().AsSlice()...), dst.Addr().AsSlice()...)
	}
	b = append(b, tcp...)
	if err := c.t.w.Packet(&captures.Packet{Time: time.Now().UnixNano() + c.t.gain.Load(), Link: linktype.Ethernet, WireLen: len(b), Data: b}); err != nil && c.t.err == nil {
		c.t.err = err
	}
}

// checksum is the internet checksum of parts of even length but for the last. RFC 1071
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
