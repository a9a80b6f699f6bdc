package flowtest

import (
	"encoding/binary"
	"hash/crc32"
	"net/netip"
)

// Pair is two queue pairs that RoCEv2 joins, set up as SMB Direct wants them. Its ends are
// 0 for the client and 1 for the server, as those of a Conn. [IBTA] A17, [MS-SMBD]
type Pair struct {
	*Capture
	ends    [2]netip.Addr
	qp      [2]uint32
	psn     [2]uint32 // of the next request of either end
	count   [2]uint32 // requests that either end has completed
	granted [2]bool   // either end has granted what the other begins with
	keys    uint32
}

// mtu is how much of a message a packet carries.
const mtu = 1024

// Opcodes of reliable connections, and the one of datagrams. [IBTA] 9.2.1
const (
	sendOnly      = 0x04
	writeFirst    = 0x06
	writeOnly     = 0x0a
	readRequest   = 0x0c
	readFirst     = 0x0d
	readOnly      = 0x10
	acknowledge   = 0x11
	datagramSend  = 0x64
	creditsAtOnce = 255
)

// Join connects two queue pairs by REQ, REP and RTU, and negotiates SMB Direct on them.
func (c *Capture) Join(client, server string, number uint32) *Pair {
	p := &Pair{Capture: c, ends: [2]netip.Addr{netip.MustParseAddr(client), netip.MustParseAddr(server)},
		qp: [2]uint32{0x100 + 2*number, 0x101 + 2*number}, psn: [2]uint32{1000, 5000}}
	local, remote := be32(2*number+1), be32(2*number+2)
	gid := func(end int) []byte { return cat(make([]byte, 10), []byte{0xff, 0xff}, p.ends[end].AsSlice()) }
	ip := func(end int) []byte { return cat(make([]byte, 12), p.ends[end].AsSlice()) }
	p.manage(0, 0x10, cat(local, make([]byte, 4), []byte{0, 0, 0, 0, 1, 6}, be16(445), make([]byte, 8), make([]byte, 4), make([]byte, 4), // [IBTA] 12.6.5
		be24(p.qp[0]), []byte{16}, make([]byte, 3), []byte{16}, make([]byte, 3), []byte{0xa0}, be24(p.psn[1]), []byte{0xa7}, be16(0xffff), []byte{0x37, 0xf0},
		make([]byte, 4), gid(0), gid(1), []byte{0, 0, 0, 7, 0, 64, 0, 0xa0}, make([]byte, 44),
		[]byte{0, 0x40}, be16(40000), ip(0), ip(1), make([]byte, 56)))
	p.manage(1, 0x13, cat(remote, local, make([]byte, 4), be24(p.qp[1]), make([]byte, 5), be24(p.psn[0]), make([]byte, 1), []byte{16, 16, 0, 0xe0}, make([]byte, 8), make([]byte, 196)))
	p.manage(0, 0x14, cat(local, remote, make([]byte, 224)))
	p.request(0, sendOnly, nil, cat(u16(0x100), u16(0x100), u16(0), u16(creditsAtOnce), u32(1364), u32(8192), u32(1<<20)))
	p.request(1, sendOnly, nil, cat(u16(0x100), u16(0x100), u16(0x100), u16(0), u16(creditsAtOnce), u16(creditsAtOnce), u32(Success), u32(8<<20), u32(1364), u32(8192), u32(1<<20)))
	p.granted[1] = true
	return p
}

// manage sends a message of the communication manager. [IBTA] 13.4.2
func (p *Pair) manage(from int, attribute uint16, data []byte) {
	head := cat([]byte{1, 7, 2, 3}, make([]byte, 4), make([]byte, 8), be16(attribute), make([]byte, 6))
	body := cat(be32(0x80010000), []byte{0}, be24(1), head, data)
	p.packet(from, datagramSend, 1, 0, body[:8], cat(body[8:], make([]byte, 264))[:256])
}

// Send sends an SMB message, which must fit one of SMB Direct. [MS-SMBD] 2.2.3
func (p *Pair) Send(from int, message []byte) (frame int) {
	grants := uint16(1)
	if !p.granted[from] {
		p.granted[from], grants = true, creditsAtOnce
	}
	return p.request(from, sendOnly, nil, cat(u16(creditsAtOnce), u16(grants), u32(0), u32(0), u32(24), u32(uint32(len(message))), u32(0), message))
}

// request sends a message of one packet, which the other end acknowledges.
func (p *Pair) request(from int, opcode byte, extended, data []byte) (frame int) {
	frame = p.packet(from, opcode, p.qp[1-from], p.psn[from], extended, data)
	p.acknowledged(from)
	return frame
}

// acknowledged has the other end acknowledge the last packet of a message.
func (p *Pair) acknowledged(from int) {
	p.count[from]++
	p.packet(1-from, acknowledge, p.qp[from], p.psn[from], cat([]byte{0x1f}, be24(p.count[from])), nil)
	p.psn[from]++
}

// memory registers what the next operation moves, and returns its address and its key.
func (p *Pair) memory() (address uint64, key uint32) {
	p.keys++
	return 0x7f0000000000 + uint64(p.keys)<<24, 0x1000 + p.keys
}

// put is RDMA WRITE.
func (p *Pair) put(from int, address uint64, key uint32, data []byte) {
	reth := cat(be64(address), be32(key), be32(uint32(len(data))))
	for i, opcode := 0, byte(writeFirst); len(data) > 0; i++ {
		k := min(len(data), mtu)
		switch {
		case i == 0 && k == len(data):
			opcode = writeOnly
		case i > 0 && k == len(data):
			opcode = writeFirst + 2
		case i > 0:
			opcode, reth = writeFirst+1, nil
		}
		if opcode != writeFirst && opcode != writeOnly {
			reth = nil
		}
		p.packet(from, opcode, p.qp[1-from], p.psn[from], reth, data[:k])
		if data = data[k:]; len(data) > 0 {
			p.psn[from]++
		}
	}
	p.acknowledged(from)
}

// get is RDMA READ: the other end answers with data.
func (p *Pair) get(from int, address uint64, key uint32, data []byte) {
	p.packet(from, readRequest, p.qp[1-from], p.psn[from], cat(be64(address), be32(key), be32(uint32(len(data)))), nil)
	p.count[from]++
	aeth := cat([]byte{0x1f}, be24(p.count[from]))
	for i := 0; len(data) > 0; i++ {
		k := min(len(data), mtu)
		opcode, extended := byte(readFirst+1), []byte(nil)
		switch {
		case i == 0 && k == len(data):
			opcode, extended = readOnly, aeth
		case i == 0:
			opcode, extended = readFirst, aeth
		case k == len(data):
			opcode, extended = readFirst+2, aeth
		}
		p.packet(1-from, opcode, p.qp[from], p.psn[from], extended, data[:k])
		p.psn[from]++
		data = data[k:]
	}
}

// packet adds Ethernet, IPv4, UDP and base transport headers, and the invariant CRC.
// [IBTA] A17.3.3
func (p *Pair) packet(from int, opcode byte, to, psn uint32, extended, data []byte) int {
	pad := -len(data) & 3
	ask := byte(0)
	if opcode != datagramSend && opcode != acknowledge && opcode&^3 != readFirst&^3 && opcode != readOnly && opcode != writeFirst && opcode != writeFirst+1 || opcode == readRequest {
		ask = 0x80
	}
	bth := cat([]byte{opcode, 0x40 | byte(pad)<<4}, be16(0xffff), []byte{0}, be24(to), []byte{ask}, be24(psn&0xffffff))
	n := 20 + 8 + len(bth) + len(extended) + len(data) + pad + 4
	b := make([]byte, 42, 14+n)
	copy(b, "\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02\x08\x00")
	b[5], b[11] = byte(2-from), byte(1+from)
	ip := b[14:]
	ip[0], ip[1], ip[6], ip[8], ip[9] = 0x45, 2, 0x40, 64, 17
	binary.BigEndian.PutUint16(ip[2:], uint16(n))
	copy(ip[12:], p.ends[from].AsSlice())
	copy(ip[16:], p.ends[1-from].AsSlice())
	udp := ip[20:]
	binary.BigEndian.PutUint16(udp, 49152)
	binary.BigEndian.PutUint16(udp[2:], 4791)
	binary.BigEndian.PutUint16(udp[4:], uint16(n-20))
	b = append(append(append(b, bth...), extended...), data...)
	b = append(b, make([]byte, pad)...)
	masked := cat(make([]byte, 8), b[14:14+28+12])
	for _, i := range []int{0, 1, 2, 3, 4, 5, 6, 7, 8 + 1, 8 + 8, 8 + 10, 8 + 11, 8 + 26, 8 + 27, 8 + 28 + 4} {
		masked[i] = 0xff
	}
	sum := crc32.Update(crc32.ChecksumIEEE(masked), crc32.IEEETable, b[14+28+12:])
	return p.Frame(binary.LittleEndian.AppendUint32(b, sum))
}

// Send adds what one end sends, over TCP or by SMB Direct.
func (s *Client) Send(from int, data []byte) (frame int) {
	if s.Pair != nil {
		return s.Pair.Send(from, data[4:]) // without the session-service header
	}
	return s.Conn.Send(from, data)
}

// ReadRDMA adds a READ whose data the server writes to the client's memory.
// [MS-SMB2] 2.2.19, 3.3.5.12
func (s *Client) ReadRDMA(f File, offset uint64, data []byte) {
	address, key := s.Pair.memory()
	s.Meet = func() { s.Pair.put(1, address, key, data) }
	s.Call(8, cat(u16(49), []byte{80, 0}, u32(uint32(len(data))), u64(offset), f.ID[:], u32(0), u32(1), u32(0), u16(112), u16(16), u64(address), u32(key), u32(uint32(len(data)))),
		cat(u16(17), []byte{80, 0}, u32(0), u32(uint32(len(data))), u32(0), []byte{0}))
}

// WriteRDMA adds a WRITE whose data the server reads from the client's memory.
// [MS-SMB2] 2.2.21, 3.3.5.13
func (s *Client) WriteRDMA(f File, offset uint64, data []byte) {
	address, key := s.Pair.memory()
	s.Meet = func() { s.Pair.get(1, address, key, data) }
	s.Call(9, cat(u16(49), u16(0), u32(0), u64(offset), f.ID[:], u32(1), u32(uint32(len(data))), u16(112), u16(16), u32(0), u64(address), u32(key), u32(uint32(len(data)))),
		cat(u16(17), u16(0), u32(uint32(len(data))), u32(0), u32(0)))
}

func be16(v uint16) []byte { return binary.BigEndian.AppendUint16(nil, v) }
func be32(v uint32) []byte { return binary.BigEndian.AppendUint32(nil, v) }
func be64(v uint64) []byte { return binary.BigEndian.AppendUint64(nil, v) }
func be24(v uint32) []byte { return be32(v)[1:] }
