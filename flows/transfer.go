package flows

// What RDMA moved, joined to the READs and WRITEs that gave the memory for it.

import (
	"net/netip"
	"slices"

	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/rdma"
	"github.com/odxray/odxray/rdma/smbd"
)

// memory is a region that a request lets the server reach. [MS-SMBD] 2.2.3.1
type memory struct {
	x      uint32 // exchange
	key    uint32
	where  Range // addresses
	reads  bool  // the request is a READ: the server writes here
	number uint32
}

// maxMemory bounds the regions of a connection whose requests wait for an answer, and
// maxOperations the operations that are kept for a list of them.
const (
	maxMemory     = 1 << 14
	maxOperations = 1 << 16
)

// Transfer is what RDMA moved for an exchange.
type Transfer struct {
	Operations int
	Bytes      uint64 // each once
	Offered    uint64 // bytes of memory that the request gave
	Repeated   int    // packets sent again
	Incomplete int    // operations of which not all moved, or not all is in the capture

	FirstTime, LastTime   int64 // ns; of the first operation's first frame, of the last data
	FirstFrame, LastFrame int
}

// offered keeps the memory that a request gives.
func (a *Analyzer) offered(c *conn, x uint32, channel smb2.Channel, l smb2.Descriptors, reads bool) {
	if c.direct == nil || channel == smb2.ChannelNone {
		return
	}
	e := a.exchanges.at(x)
	for i := range l.Len() {
		if len(c.direct.live) == maxMemory {
			c.direct.forgotten = true
			return
		}
		m := l.At(i)
		c.direct.live = append(c.direct.live, memory{x, m.Token, Range{m.Offset, m.Offset + uint64(m.Length)}, reads, e.number})
		a.exchanges.aside(x).offered += uint64(m.Length)
	}
}

// withdrawn forgets the memory of an exchange that is over.
func (d *direct) withdrawn(x uint32) {
	d.live = slices.DeleteFunc(d.live, func(m memory) bool { return m.x == x })
}

// moves joins an operation to the exchange whose memory it reaches.
func (a *Analyzer) moves(c *conn, o *rdma.Operation) {
	d := c.direct
	if len(d.operations) < maxOperations {
		d.operations = append(d.operations, o)
	} else {
		d.unlisted++
	}
	where := Range{o.Address, o.Address + uint64(o.Length)}
	for i := range d.live {
		if m := &d.live[i]; m.key == o.RKey && where.Start >= m.where.Start && where.End <= m.where.End && where.End >= where.Start {
			b := a.exchanges.aside(m.x)
			b.operations = append(b.operations, o)
			o.Owner = m.number
			return
		}
	}
}

// transfer sums up what moved for exchange x.
func (b *aside) transfer() (t Transfer) {
	type moved struct {
		key  uint32
		have Ranges
	}
	var keys []moved
	for _, o := range b.operations {
		i := slices.IndexFunc(keys, func(k moved) bool { return k.key == o.RKey })
		if i < 0 {
			i, keys = len(keys), append(keys, moved{key: o.RKey})
		}
		o.Spans(func(from, to uint32) { keys[i].have.Add(Range{o.Address + uint64(from), o.Address + uint64(to)}) })
		t.Operations++
		t.Repeated += o.Repeated
		if !o.Complete() {
			t.Incomplete++
		}
		if t.FirstTime == 0 || o.FirstTime < t.FirstTime {
			t.FirstTime, t.FirstFrame = o.FirstTime, int(o.FirstFrame)
		}
		if o.LastTime > t.LastTime {
			t.LastTime, t.LastFrame = o.LastTime, int(o.LastFrame)
		}
	}
	for _, k := range keys {
		t.Bytes += k.have.Len()
	}
	t.Offered = b.offered
	return t
}

// QueuePair is one end of a connection of RDMA.
type QueuePair struct {
	Addr   netip.Addr
	Number uint32
}

// RDMAConnection is two queue pairs that carry SMB Direct, and what went on between them.
type RDMAConnection struct {
	Conn           int // Connection.ID
	Client, Server QueuePair
	Evidence       string // how it is known that they belong together
	First, Last    int    // frames
	Closed         int    // frame in which an end disconnected; 0 if none did
	Port           uint16 // that was asked for; 0 if unknown
	MTU            int    // bytes of a packet's payload; 0 unknown

	Request, Response smbd.Message // of the negotiation; of Kind 0 if not in the capture
	CreditsRequested  [2]uint64    // sums over data transfers of the client, of the server
	CreditsGranted    [2]uint64
	Messages          [2]int // of SMB Direct

	Packets, Repeated, Refused, NotReady, Lost, BadCRC int

	Operations []RDMAOperation
	Unlisted   int // further ones, beyond the number that is kept
}

// RDMAOperation is an RDMA READ or WRITE.
type RDMAOperation struct {
	Read                  bool // else a WRITE
	ByClient              bool
	Key                   uint32
	Address               uint64
	Length                uint32
	Moved                 uint32 // bytes, each once
	FirstFrame, LastFrame int
	FirstTime, LastTime   int64
	Repeated              int // packets
	Exchange              int // Exchange.ID whose memory it reached; 0 if none
}

// RDMA lists the connections of RDMA, in the order of their IDs.
func (c *Capture) RDMA() (list []RDMAConnection) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, on := range c.a.direct.byPair {
		list = append(list, on.rdma())
	}
	slices.SortFunc(list, func(x, y RDMAConnection) int { return x.Conn - y.Conn })
	return list
}

func (c *conn) rdma() RDMAConnection {
	d, p := c.direct, c.direct.pair
	server := max(c.server, 0)
	if c.server < 0 {
		server = 1
	}
	client := 1 - server
	r := RDMAConnection{
		Conn: int(c.id), Evidence: p.By.String(), First: int(p.First), Last: int(p.Last), Closed: int(p.Closed), Port: p.Port, MTU: int(p.MTU),
		Client: QueuePair{p.Ends[client].Addr, p.Ends[client].QP}, Server: QueuePair{p.Ends[server].Addr, p.Ends[server].QP},
		Request: d.request, Response: d.answer,
		CreditsRequested: [2]uint64{d.asked[client], d.asked[server]}, CreditsGranted: [2]uint64{d.granted[client], d.granted[server]},
		Messages: [2]int{d.sent[client], d.sent[server]},
		Packets:  p.Packets, Repeated: p.Repeated, Refused: p.Refused, NotReady: p.NotReady, Lost: p.Lost, BadCRC: p.BadCRC, Unlisted: d.unlisted,
	}
	for _, o := range d.operations {
		r.Operations = append(r.Operations, RDMAOperation{
			Read: o.Read, ByClient: o.By == client, Key: o.RKey, Address: o.Address, Length: o.Length, Moved: o.Moved(),
			FirstFrame: int(o.FirstFrame), LastFrame: int(o.LastFrame), FirstTime: o.FirstTime, LastTime: o.LastTime,
			Repeated: o.Repeated, Exchange: int(o.Owner),
		})
	}
	return r
}
