package flows

// What RDMA moved, joined to the READs and WRITEs that gave the memory for it.

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/odxray/odxray/dissect/ntstatus"
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
// maxOperations the operations of all connections that are kept for a list of them.
const (
	maxMemory     = 1 << 14
	maxOperations = 1 << 18
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
	DataTime              int64 // ns; of the first data
	DataFrame             int   // 0 if there is none
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
		delete(c.direct.dead, m.Token)
		if k := a.exchanges.aside(x); k.offered == 0 {
			k.base, k.key = m.Offset, m.Token
		}
		c.direct.live = append(c.direct.live, memory{x, m.Token, Range{m.Offset, m.Offset + uint64(m.Length)}, reads, e.number})
		a.exchanges.aside(x).offered += uint64(m.Length)
	}
}

// withdrawn forgets the memory of an exchange that is over: its keys are, too, unless another
// request gave the same.
func (d *direct) withdrawn(x, frame uint32) {
	n := len(d.live)
	d.live = slices.DeleteFunc(d.live, func(m memory) bool {
		if m.x == x {
			d.dies(m.key, frame)
		}
		return m.x == x
	})
	if len(d.live) == n {
		return
	}
	for i := range d.live {
		delete(d.dead, d.live[i].key)
	}
}

// invalidated takes that a SEND ends a key, whoever gave it.
func (d *direct) invalidated(key, frame uint32) {
	n := len(d.live)
	if d.live = slices.DeleteFunc(d.live, func(m memory) bool { return m.key == key }); len(d.live) < n {
		d.dies(key, frame)
	}
}

func (d *direct) dies(key, frame uint32) {
	switch {
	case d.dead == nil:
		d.dead = make(map[uint32]uint32)
	case len(d.dead) == maxMemory:
		clear(d.dead)
		d.forgotten = true
	}
	d.dead[key] = frame
}

// moves joins an operation to the exchange whose memory it reaches.
func (a *Analyzer) moves(c *conn, o *rdma.Operation) {
	d := c.direct
	if a.direct.operations < maxOperations {
		a.direct.operations++
		d.operations = append(d.operations, o)
	} else {
		d.unlisted++
	}
	where := Range{o.Address, o.Address + uint64(o.Length)}
	for i := range d.live {
		if m := &d.live[i]; m.key == o.RKey && o.By == c.server && where.Start >= m.where.Start && where.End <= m.where.End && where.End >= where.Start {
			b := a.exchanges.aside(m.x)
			b.operations = append(b.operations, o)
			o.Owner = rdma.Owner{Number: m.number, Frame: a.exchanges.at(m.x).reqFrame, Asked: a.exchanges.at(m.x).reqTime}
			if m.reads == o.Read {
				d.fault(RDMAFault{Kind: FaultDirection, Level: Error, Frame: int(o.FirstFrame), Exchange: int(m.number),
					Text: "the server " + verb(o) + " the memory of a " + a.exchanges.at(m.x).command.String()})
			}
			return
		}
	}
	over, gone := d.dead[o.RKey]
	switch {
	case c.server >= 0 && o.By != c.server:
		d.fault(RDMAFault{Kind: FaultDirection, Level: Error, Frame: int(o.FirstFrame), Text: "the client " + verb(o) + " memory of the server"})
	case gone && o.Length > 0:
		d.fault(RDMAFault{Kind: FaultInvalidated, Level: Error, Frame: int(o.FirstFrame), Answer: int(over),
			Text: fmt.Sprintf("the server %s %d bytes at 0x%x with key 0x%08x, which frame %d had ended", verb(o), o.Length, o.Address, o.RKey, over)})
	case !d.forgotten && o.Length > 0:
		d.fault(RDMAFault{Kind: FaultBounds, Level: Error, Frame: int(o.FirstFrame),
			Text: fmt.Sprintf("the server %s %d bytes at 0x%x with key 0x%08x, which no waiting request gave", verb(o), o.Length, o.Address, o.RKey)})
	}
}

func verb(o *rdma.Operation) string {
	if o.Read {
		return "reads"
	}
	return "writes"
}

// maxFaults bounds the faults of a connection that are kept.
const maxFaults = 1 << 10

func (d *direct) fault(f RDMAFault) {
	if len(d.faults) < maxFaults {
		d.faults = append(d.faults, f)
	}
}

// judge looks at a data transfer. [MS-SMBD] 2.2.3, 3.1.5.2
func (d *direct) judge(frame uint32, fromServer bool, m *smbd.Message, p smbd.Problem) {
	sender, receiver := &d.request, &d.answer
	if fromServer {
		sender, receiver = receiver, sender
	}
	say := func(kind FaultKind, level Level, format string, args ...any) {
		d.fault(RDMAFault{Kind: kind, Frame: int(frame), Level: level, Text: fmt.Sprintf(format, args...)})
	}
	if m.CreditsRequested == 0 {
		say(FaultHeader, Error, "CreditsRequested is 0")
	}
	if m.DataLength == 0 {
		return
	}
	if m.DataOffset%8 != 0 {
		say(FaultHeader, Error, "DataOffset %d is no multiple of 8", m.DataOffset)
	}
	if p == smbd.NotNext {
		say(FaultFragment, Error, "RemainingDataLength %d does not follow from the fragment before", m.Remaining)
	}
	whole, size := uint64(m.DataLength)+uint64(m.Remaining), uint64(m.DataOffset)+uint64(m.DataLength)
	switch {
	case receiver.Kind == 0 || sender.Kind == 0:
	case whole > uint64(receiver.MaxFragmentedSize):
		say(FaultFragment, Error, "a message of %d bytes is more than the %d that the receiver takes", whole, receiver.MaxFragmentedSize)
	case size > uint64(receiver.MaxReceiveSize):
		say(FaultFragment, Error, "%d bytes are more than the %d that the receiver takes at once", size, receiver.MaxReceiveSize)
	case size > uint64(sender.PreferredSendSize):
		say(FaultFragment, Note, "%d bytes are more than the %d that the sender said it would send", size, sender.PreferredSendSize)
	}
}

// settled looks at an answered exchange that gave memory.
func (a *Analyzer) settled(c *conn, x uint32) {
	b := a.exchanges.beside(x)
	if b.offered == 0 {
		return
	}
	e, d := a.exchanges.at(x), c.direct
	for _, o := range b.operations {
		o.Owner.Answered = e.ansTime
		if o.RKey == b.key && o.Address == b.base && min(uint64(o.Length), sampleLen) == min(b.promised, sampleLen) {
			e.host = o.Sample
		}
	}
	f := RDMAFault{Level: Error, Frame: int(e.reqFrame), Answer: int(e.ansFrame), Exchange: int(e.number)}
	if t := b.transfer(); e.status == ntstatus.Success && t.Bytes < b.promised {
		f.Kind, f.Text = FaultShort, fmt.Sprintf("%v of %d bytes succeeded, and RDMA moved %d", e.command, b.promised, t.Bytes)
		f.Uncertain = a.unseen(c, b, t.Bytes)
		d.fault(f)
		f.Uncertain = ""
	}
	if most := d.answer.MaxReadWriteSize; d.answer.Kind != 0 && e.length > uint64(most) {
		f.Kind, f.Text = FaultLong, fmt.Sprintf("%v asks for %d bytes by RDMA, and the server moves %d at most", e.command, e.length, most)
		d.fault(f)
	}
}

// unseen says why what RDMA moved for an exchange may be more than the moved bytes that the
// capture shows; "" if it may not. The packets of a READ's data are not acknowledged one by
// one: that the capture lacks some shows in nothing but their absence.
func (a *Analyzer) unseen(c *conn, b *aside, moved uint64) string {
	if c.mpa != nil {
		return "" // TCP tells
	}
	n := moved
	for _, o := range b.operations {
		if !o.Unseen() {
			continue
		}
		if n += uint64(o.Length - o.Moved()); o.Gap() {
			c.lost++
			a.lostBytes++
		}
	}
	if n == moved || n < b.promised {
		return ""
	}
	return "not all packets of an RDMA Read are in the capture"
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
		if o.DataFrame != 0 && (t.DataFrame == 0 || o.DataTime < t.DataTime) {
			t.DataTime, t.DataFrame = o.DataTime, int(o.DataFrame)
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

// lacks says why not all of an operation moved; "" if it did.
func (c *conn) lacks(o *rdma.Operation) string {
	switch p := c.direct.pair; {
	case o.Complete():
		return ""
	case c.lost > 0 || p != nil && p.Lost > 0:
		return "packets are missing from the capture"
	case o.Refused != "":
		return "refused: " + o.Refused
	case c.closed:
		return "the connection ended"
	case o.Owner.Answered != 0:
		return "answered before all had moved"
	}
	return "the capture ended"
}

// QueuePair is one end of a connection of RDMA.
type QueuePair struct {
	Addr   netip.Addr
	Number uint32 // 0 over iWARP, which has none on the wire
}

// RDMAConnection is two queue pairs that carry SMB Direct, and what went on between them.
type RDMAConnection struct {
	Conn           int // Connection.ID
	Transport      Transport
	Client, Server QueuePair
	Evidence       string // how it is known that they belong together; "" if that is plain
	First, Last    int    // frames
	Closed         int    // frame in which an end disconnected; 0 if none did
	Port           uint16 // that was asked for; 0 if unknown
	MTU            int    // bytes of a packet's payload; 0 unknown

	FirstTime, LastTime int64
	Unanswered          int // requests of SMB2 that nothing has answered, not even STATUS_PENDING

	Request, Response smbd.Message // of the negotiation; of Kind 0 if not in the capture
	CreditsRequested  [2]uint64    // sums over data transfers of the client, of the server
	CreditsGranted    [2]uint64
	Ledgers           [2]CreditLedger // of what the client, the server may send
	Messages          [2]int          // of SMB Direct

	Packets, Repeated, Refused, NotReady, Lost, BadCRC int
	Marked, Notified                                   int  // packets that met congestion; notifications of it
	Sure                                               bool // no other queue pair fits the Evidence as well

	RequestFrame, ResponseFrame int  // of the negotiation; 0 if not in the capture
	FirstRepeat, FirstBadCRC    int  // frames; 0 if there are none
	NoGoodCRC                   bool // no packet of one direction has a right CRC
	Faults                      []RDMAFault
	Inline                      []Inline
	Delays                      []Delay // requests that packets sent again delayed; not all if there are many

	Operations []RDMAOperation
	Unlisted   int // further ones, beyond the number that is kept
}

// RDMAOperation is an RDMA READ or WRITE.
type RDMAOperation struct {
	Read                  bool // else a WRITE
	ByClient              bool
	Key                   uint32
	Address               uint64
	PSN                   uint32 // of its first packet; with iWARP, nothing
	Length                uint32
	Moved                 uint32 // bytes, each once
	FirstFrame, LastFrame int
	FirstTime, LastTime   int64
	DataFrame             int // of the first of its data; 0 if there is none
	DataTime              int64
	Repeated              int    // packets
	Exchange              int    // Exchange.ID whose memory it reached; 0 if none
	Asked, Answered       int64  // ns; of the exchange's request and answer, 0 if unknown
	Incomplete            string // why not all moved, as far as is known; "" if all did
}

// Split is the parts of the time that data by RDMA took. Each is valid iff it is not
// negative.
type Split struct {
	Before time.Duration // from the request to the first byte
	Data   time.Duration // from there to the last byte
	After  time.Duration // from there to the answer
}

func split(asked, first, last, answered int64) Split {
	s := Split{-1, -1, -1}
	if first == 0 {
		return s
	}
	s.Data = time.Duration(last - first)
	if asked != 0 {
		s.Before = max(0, time.Duration(first-asked))
	}
	if answered != 0 {
		s.After = max(0, time.Duration(answered-last))
	}
	return s
}

// Split returns the parts of the time of an exchange whose data moved by RDMA.
func (x *Exchange) Split() Split {
	return split(x.RequestTime, x.RDMA.DataTime, x.RDMA.LastTime, x.AnswerTime)
}

// Split returns the parts of the time of an exchange, as far as the operation is concerned.
func (o *RDMAOperation) Split() Split { return split(o.Asked, o.DataTime, o.LastTime, o.Answered) }

// RDMA lists the connections of RDMA, in the order of their IDs.
func (c *Capture) RDMA() (list []RDMAConnection) {
	c.enter()
	defer c.mu.Unlock()
	return c.a.rdma(true)
}

// RDMAOperations lists what RDMA did on a connection.
func (c *Capture) RDMAOperations(conn int) []RDMAOperation {
	c.enter()
	defer c.mu.Unlock()
	for _, on := range c.a.directs() {
		if int(on.id) == conn {
			return on.rdma(true).Operations
		}
	}
	return nil
}

func (a *Analyzer) rdma(operations bool) (list []RDMAConnection) {
	for _, c := range a.directs() {
		list = append(list, c.rdma(operations))
	}
	return list
}

// directs returns the connections of SMB Direct, in the order of their ids.
func (a *Analyzer) directs() (list []*conn) {
	for _, c := range a.direct.byPair {
		list = append(list, c)
	}
	list = append(list, a.direct.overTCP...)
	slices.SortFunc(list, func(x, y *conn) int { return int(x.id) - int(y.id) })
	return list
}

func (c *conn) rdma(operations bool) RDMAConnection {
	d := c.direct
	server := max(c.server, 0)
	if c.server < 0 {
		server = 1
	}
	client := 1 - server
	from, to := c.ends()
	r := RDMAConnection{
		Conn: int(c.id), Transport: d.kind, First: int(c.first), Last: int(c.last),
		Client: QueuePair{Addr: from.Addr()}, Server: QueuePair{Addr: to.Addr()},
		Request: d.request, Response: d.answer, RequestFrame: d.requestFrame, ResponseFrame: d.answerFrame,
		CreditsRequested: [2]uint64{d.asked[client], d.asked[server]}, CreditsGranted: [2]uint64{d.granted[client], d.granted[server]},
		FirstTime: c.firstTime, LastTime: c.lastTime, Unanswered: d.owing,
		Ledgers:  [2]CreditLedger{d.credits(client), d.credits(server)},
		Messages: [2]int{d.sent[client], d.sent[server]}, Unlisted: d.unlisted, FirstRepeat: d.repeats,
	}
	if d.pair != nil {
		r.queuePairs(d.pair, client)
	}
	if c.mpa != nil {
		r.placement(&c.mpa.place)
	}
	r.Faults, r.Inline = slices.Clip(d.faults), slices.Clone(d.inline)
	r.Delays = slices.Clone(d.delays.list)
	if !operations {
		return r
	}
	for _, o := range d.operations {
		r.Operations = append(r.Operations, RDMAOperation{
			Read: o.Read, ByClient: o.By == client, Key: o.RKey, Address: o.Address, PSN: o.PSN, Length: o.Length, Moved: o.Moved(),
			FirstFrame: int(o.FirstFrame), LastFrame: int(o.LastFrame), FirstTime: o.FirstTime, LastTime: o.LastTime,
			DataFrame: int(o.DataFrame), DataTime: o.DataTime, Repeated: o.Repeated,
			Exchange: int(o.Owner.Number), Asked: o.Owner.Asked, Answered: o.Owner.Answered, Incomplete: c.lacks(o),
		})
	}
	return r
}

// queuePairs fills r with what is known of a pair, one of whose ends is the client.
func (r *RDMAConnection) queuePairs(p *rdma.Pair, client int) {
	r.Client.Number, r.Server.Number = p.Ends[client].QP, p.Ends[1-client].QP
	r.Evidence, r.First, r.Last, r.Closed, r.Port, r.MTU = p.By.String(), int(p.First), int(p.Last), int(p.Closed), p.Port, int(p.MTU)
	r.Packets, r.Repeated, r.Refused, r.NotReady, r.Lost = p.Packets, p.Repeated, p.Refused, p.NotReady, p.Lost
	r.Marked, r.Notified, r.Sure = p.Marked, p.Notified, p.Rivals == 0
	r.BadCRC, r.FirstBadCRC = p.BadCRC[0]+p.BadCRC[1], int(p.FirstBad)
	for i := range p.BadCRC {
		r.NoGoodCRC = r.NoGoodCRC || p.GoodCRC[i] == 0 && p.BadCRC[i]+p.NoCRC[i] > 0
	}
}

// placement fills r with what is known of a connection of iWARP.
func (r *RDMAConnection) placement(p *rdma.Placement) {
	r.Packets, r.Closed = p.Packets, int(p.Terminated)
	r.BadCRC, r.FirstBadCRC = p.BadCRC[0]+p.BadCRC[1], int(p.FirstBad)
	for i := range p.BadCRC {
		r.NoGoodCRC = r.NoGoodCRC || p.GoodCRC[i] == 0 && p.BadCRC[i] > 0
	}
}
