package flowtest

import (
	"encoding/binary"
	"hash/crc32"
	"net/netip"
)

// Direct is a connection of SMB Direct over RoCEv2. Index 0 is the client. Both ends grant
// as many credits as they have seen spent, unless a test says otherwise.
type Direct struct {
	*Capture
	MTU    int // bytes of a packet's payload
	Limits [2]Limits

	// How the next message goes; it resets them.
	Grant      int    // credits that it grants; -1 for as many as have been spent
	Flags      uint16 // of it: 1 asks for an answer
	Invalidate uint32 // key that it ends; 0 for none

	ends [2]netip.Addr
	qp   [2]uint32
	psn  [2]uint32 // of the next request of an end
	msn  [2]uint32
	due  [2]int // credits that an end has to give back
	id   uint16
}

// Limits is what an end says in the negotiation. [MS-SMBD] 2.2.1, 2.2.2
type Limits struct {
	Credits                   uint16 // asked for, and granted by the response
	Send, Receive, Fragmented uint32
	ReadWrite                 uint32 // of the server
}

// Queue pairs are numbered from here on, an end and a connection each its own.
const firstQP = 0x100

// Pair adds the handshake of two queue pairs for port 445, without the negotiation.
func (c *Capture) Pair(client, server string) *Direct {
	d := c.LatePair(client, server)
	d.Ask(445)
	d.management(1, 0x13, cat(u32be(d.qp[1]), u32be(d.qp[0]), u32be(0), u32be(d.qp[1]<<8), u32be(0), u32be(d.psn[0]<<8), make([]byte, 12), make([]byte, 196)))
	d.management(0, 0x14, cat(u32be(d.qp[0]), u32be(d.qp[1]), make([]byte, 224)))
	return d
}

// LatePair begins a connection that the capture comes late to.
func (c *Capture) LatePair(client, server string) *Direct {
	limits := Limits{Credits: 255, Send: 1364, Receive: 1364, Fragmented: 1 << 20, ReadWrite: 8 << 20}
	n := uint32(len(c.Packets))
	return &Direct{Capture: c, MTU: 1024, Limits: [2]Limits{limits, limits}, Grant: -1, ends: [2]netip.Addr{netip.MustParseAddr(client), netip.MustParseAddr(server)},
		qp: [2]uint32{firstQP + 2*n, firstQP + 2*n + 1}, psn: [2]uint32{0xfffff0, 7000}}
}

// Direct adds a connection, negotiated.
func (c *Capture) Direct(client, server string) *Direct {
	d := c.Pair(client, server)
	d.Negotiate()
	return d
}

// LoginDirect is Login over SMB Direct.
func (c *Capture) LoginDirect(client, server, share string) (*Client, *Direct) {
	d := c.Direct(client, server)
	s := d.Client()
	s.Setup(share)
	return s, d
}

// Client is one whose messages go over the connection, not logged in yet.
func (d *Direct) Client() *Client {
	n := d.Midway(netip.AddrPortFrom(d.ends[0], 50000).String(), netip.AddrPortFrom(d.ends[1], 445).String())
	n.over = d.Message
	return &Client{Conn: n, Session: 0x100000000001 + uint64(len(d.Packets)), Tree: 7}
}

// Bind is a client on the connection, a further channel of a session. [MS-SMB2] 3.2.4.1.3
func (d *Direct) Bind(s *Client) *Client {
	k := d.Client()
	k.Session, k.Tree, k.files, k.ClientGUID, k.ServerGUID = s.Session, s.Tree, s.files+100, s.ClientGUID, s.ServerGUID
	k.bind()
	return k
}

// Ask adds a request to connect, and returns its frame. [IBTA] 12.6.5
func (d *Direct) Ask(port uint16) int {
	service := cat(make([]byte, 5), []byte{6, byte(port >> 8), byte(port)})
	service[4] = 1
	mtu := byte(0)
	for m := d.MTU; m > 128; m /= 2 {
		mtu++
	}
	paths := make([]byte, 2*44)
	ip := cat([]byte{0, 0x40, 0xc0, 0}, make([]byte, 12), d.ends[0].AsSlice(), make([]byte, 12), d.ends[1].AsSlice(), make([]byte, 56))
	return d.management(0, 0x10, cat(u32be(d.qp[0]), u32be(0), service, make([]byte, 16), u32be(d.qp[0]<<8|4), u32be(4), u32be(0), u32be(d.psn[1]<<8), // each says what the other begins with

		[]byte{0xff, 0xff, mtu << 4, 0}, paths, ip))
}

// Refuse adds the refusal of a request to connect, for a reason. [IBTA] 12.6.7
func (d *Direct) Refuse(reason uint16) int {
	return d.management(1, 0x12, cat(u32be(d.qp[1]), u32be(d.qp[0]), []byte{0, 0, byte(reason >> 8), byte(reason)}, make([]byte, 220)))
}

// Disconnect adds an end's DREQ and its answer. [IBTA] 12.6.10
func (d *Direct) Disconnect(from int) int {
	frame := d.management(from, 0x15, cat(u32be(d.qp[from]), u32be(d.qp[1-from]), u32be(d.qp[1-from]<<8), make([]byte, 220)))
	d.management(1-from, 0x16, cat(u32be(d.qp[1-from]), u32be(d.qp[from]), make([]byte, 224)))
	return frame
}

// Negotiate adds the two messages that begin SMB Direct.
func (d *Direct) Negotiate() {
	q, a := &d.Limits[0], &d.Limits[1]
	d.SendRaw(0, cat(u16(0x100), u16(0x100), u16(0), u16(q.Credits), u32(q.Send), u32(q.Receive), u32(q.Fragmented)))
	d.SendRaw(1, cat(u16(0x100), u16(0x100), u16(0x100), u16(0), u16(a.Credits), u16(a.Credits), u32(0), u32(a.ReadWrite), u32(a.Send), u32(a.Receive), u32(a.Fragmented)))
	d.due = [2]int{int(q.Credits), 0}
}

// Message adds a message of SMB2 in as many fragments as it takes, and returns the last
// frame. [MS-SMBD] 3.1.5.2
func (d *Direct) Message(from int, m []byte) (frame int) {
	key := d.Invalidate
	for most := int(d.Limits[1-from].Receive) - 24; ; {
		n := min(len(m), most)
		if d.Invalidate = 0; n == len(m) {
			d.Invalidate = key
		}
		frame = d.Transfer(from, uint32(len(m)-n), m[:n])
		if m = m[n:]; len(m) == 0 {
			return frame
		}
	}
}

// Transfer adds one data transfer, with or without data. [MS-SMBD] 2.2.3
func (d *Direct) Transfer(from int, remaining uint32, data []byte) int {
	grant := d.Grant
	if grant < 0 {
		grant = d.due[from]
	}
	d.due[from] = max(0, d.due[from]-grant)
	d.due[1-from]++
	flags, offset := d.Flags, uint32(24)
	if len(data) == 0 {
		offset = 0
	}
	d.Grant, d.Flags = -1, 0
	head := cat(u16(d.Limits[from].Credits), u16(uint16(grant)), u16(flags), u16(0), u32(remaining), u32(offset), u32(uint32(len(data))))
	if len(data) > 0 {
		head = cat(head, u32(0), data)
	}
	return d.SendRaw(from, head)
}

// SendRaw adds a SEND in as many packets as it takes, and what acknowledges it.
func (d *Direct) SendRaw(from int, b []byte) (frame int) {
	key := d.Invalidate
	d.Invalidate = 0
	for first := true; ; first = false {
		n := min(len(b), d.MTU)
		last := n == len(b)
		op, ext := byte(0x01), []byte(nil)
		switch {
		case first && last:
			op = 0x04
		case first:
			op = 0x00
		case last:
			op = 0x02
		}
		if last && key != 0 {
			op, ext = op&^2>>2+0x16, u32be(key)
		}
		frame = d.Packet(from, op, ext, b[:n])
		if b = b[n:]; last {
			d.Ack(1-from, 0x1f)
			return frame
		}
	}
}

// Write adds an RDMA WRITE of one end into the memory of the other, and returns its first
// frame.
func (d *Direct) Write(by int, key uint32, address uint64, b []byte) (first int) {
	ext := cat(u64be(address), u32be(key), u32be(uint32(len(b))))
	for i, op := 0, byte(0x06); ; i++ {
		n := min(len(b), d.MTU)
		if last := n == len(b); last && i == 0 {
			op = 0x0a
		} else if last {
			op = 0x08
		}
		if f := d.Packet(by, op, ext, b[:n]); first == 0 {
			first = f
		}
		if b, ext, op = b[n:], nil, 0x07; len(b) == 0 {
			d.Ack(1-by, 0x1f)
			return first
		}
	}
}

// Read adds an RDMA READ by one end from the memory of the other, and returns its first
// frame.
func (d *Direct) Read(by int, key uint32, address uint64, b []byte) (first int) {
	psn := d.psn[by]
	first = d.Packet(by, 0x0c, cat(u64be(address), u32be(key), u32be(uint32(len(b)))), nil)
	for i := 0; ; i++ {
		n := min(len(b), d.MTU)
		last := n == len(b)
		op, ext := byte(0x0e), d.acknowledged(by, 0x1f)
		switch {
		case i == 0 && last:
			op = 0x10
		case i == 0:
			op = 0x0d
		case last:
			op = 0x0f
		default:
			ext = nil
		}
		d.packet(1-by, op, psn+uint32(i), ext, b[:n])
		if b = b[n:]; last {
			d.psn[by] = psn + uint32(i) + 1
			return first
		}
	}
}

// Ack adds an acknowledgement of all that the other end has sent, with that syndrome.
func (d *Direct) Ack(from int, syndrome byte) int {
	return d.packet(from, 0x11, d.psn[1-from]-1, d.acknowledged(1-from, syndrome), nil)
}

func (d *Direct) acknowledged(of int, syndrome byte) []byte {
	d.msn[of]++
	return u32be(uint32(syndrome)<<24 | d.msn[of]&0xffffff)
}

// Packet adds a packet of an end, with the next sequence number.
func (d *Direct) Packet(from int, opcode byte, ext, payload []byte) int {
	d.psn[from]++
	return d.packet(from, opcode, d.psn[from]-1, ext, payload)
}

// Again adds the packet n frames before the last one, not counting it, once more.
func (d *Direct) Again(n int) int { return d.Frame(d.Packets[len(d.Packets)-1-n].Data) }

// Skip takes a sequence number for a packet that is in no frame.
func (d *Direct) Skip(from int) { d.psn[from]++ }

// packet adds the base header. [IBTA] 9.2
func (d *Direct) packet(from int, opcode byte, psn uint32, ext, payload []byte) int {
	pad := -len(payload) & 3
	base := cat([]byte{opcode, byte(pad) << 4, 0xff, 0xff}, u32be(d.qp[1-from]), u32be(psn&0xffffff))
	return d.datagram(from, cat(base, ext, payload, make([]byte, pad)))
}

// management adds a message of the communication manager. [IBTA] 13.4.2, 9.3.1
func (d *Direct) management(from int, attribute byte, body []byte) int {
	mad := cat([]byte{1, 7, 2, 3}, make([]byte, 12), []byte{0, attribute}, make([]byte, 6), body)
	mad = append(mad, make([]byte, max(0, 256-len(mad)))...)
	return d.datagram(from, cat([]byte{0x64, 0, 0xff, 0xff}, u32be(1), u32be(0), u32be(0x80010000), u32be(1), mad))
}

// datagram adds Ethernet, IPv4, UDP and the invariant CRC. [IBTA] A17.3
func (d *Direct) datagram(from int, packet []byte) int {
	src, dst := d.ends[from].As4(), d.ends[1-from].As4()
	n := uint16(8 + len(packet) + 4)
	d.id++
	ip := cat([]byte{0x45, 0}, u16be(20+n), u16be(d.id), []byte{0x40, 0, 64, 17, 0, 0}, src[:], dst[:])
	udp := cat(u16be(0xc000), u16be(4791), u16be(n), u16be(0))
	masked := cat([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, ip, udp, packet)
	for _, i := range []int{8 + 1, 8 + 8, 8 + 10, 8 + 11, 28 + 6, 28 + 7, 36 + 4} {
		masked[i] = 0xff
	}
	ethernet := []byte{2, 0, 0, 0, 0, byte(2 - from), 2, 0, 0, 0, 0, byte(1 + from), 8, 0}
	return d.Frame(cat(ethernet, ip, udp, packet, u32(crc32.ChecksumIEEE(masked))))
}

// Region is memory that a client gives to a request. [MS-SMBD] 2.2.3.1
type Region struct {
	Address uint64
	Key     uint32
	Length  uint32
}

// regions makes descriptors of them, behind a transform for channel 3. [MS-SMB2] 2.2.43
func regions(channel uint32, list []Region) (b []byte, length uint32) {
	if channel == 3 {
		n := uint16(16 * len(list))
		b = cat(u16(48), u16(n), u32(2), u16(1), make([]byte, 6), u16(1), u16(12), u16(12), u16(0), make([]byte, 24))
	}
	for _, r := range list {
		b = cat(b, u64(r.Address), u32(r.Key), u32(r.Length))
		length += r.Length
	}
	return b, length
}

// ReadDirect adds a READ into the client's memory, by channel 1 or 2; the server moves the
// data in meet. [MS-SMB2] 2.2.19
func (s *Client) ReadDirect(f File, offset uint64, channel uint32, list []Region, meet func()) {
	b, length := regions(channel, list)
	s.Meet = meet
	s.Call(8, cat(u16(49), []byte{80, 0}, u32(length), u64(offset), f.ID[:], u32(0), u32(channel), u32(length), u16(112), u16(uint16(len(b))), b),
		cat(u16(17), []byte{80, 0}, u32(0), u32(length), u32(0), []byte{0}))
}

// WriteDirect adds a WRITE out of the client's memory. [MS-SMB2] 2.2.21
func (s *Client) WriteDirect(f File, offset uint64, channel uint32, list []Region, meet func()) {
	b, length := regions(channel, list)
	s.Meet = meet
	s.Call(9, cat(u16(49), u16(0), u32(0), u64(offset), f.ID[:], u32(channel), u32(length), u16(112), u16(uint16(len(b))), u32(0), b),
		cat(u16(17), u16(0), u32(length), u32(0), u32(0)))
}

func u16be(v uint16) []byte { return binary.BigEndian.AppendUint16(nil, v) }
func u32be(v uint32) []byte { return binary.BigEndian.AppendUint32(nil, v) }
func u64be(v uint64) []byte { return binary.BigEndian.AppendUint64(nil, v) }
