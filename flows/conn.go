package flows

// TCP connections: which frame belongs to which, and which side serves.

import (
	"net/netip"

	"github.com/odxray/odxray/dissect/inet"
	"github.com/odxray/odxray/dissect/seal"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/rdma/smbd"
)

// connKey is a connection's four numbers, the lower end first.
type connKey struct {
	lowAddr, highAddr netip.Addr
	lowPort, highPort uint16
}

// keyOf returns the key of a frame's connection, and 0 if its sender is the lower
// end, 1 if it is the higher.
func keyOf(h *inet.Headers) (connKey, int) {
	if d := h.Src.Compare(h.Dst); d < 0 || d == 0 && h.SrcPort < h.DstPort {
		return connKey{h.Src, h.Dst, h.SrcPort, h.DstPort}, 0
	}
	return connKey{h.Dst, h.Src, h.DstPort, h.SrcPort}, 1
}

// conn is a TCP connection. Its two streams are indexed by sender, as keyOf has it.
type conn struct {
	id                 uint32 // from 1, in order of appearance; what Wireshark calls the stream index, plus 1
	key                connKey
	stream             uint32  // index of the TCP stream, from 0
	direct             *direct // nil over TCP
	mpa                *mpa    // nil unless TCP carries iWARP
	streams            [2]stream
	side               [2]endpoint // for the words of TCP analysis
	server             int         // the stream that the server sends; -1 if unknown
	syn                bool        // its beginning was captured
	closed             bool        // FIN or RST seen from either side
	speaks             protocol
	synTime, roundTrip int64  // ns; 0 if the handshake was not captured
	evidence           int    // of SMB on an unknown port; see recognise
	host               uint32 // index of the server in Analyzer.servers; valid once server is known
	first              uint32 // frame
	last               uint32
	lastMessage        uint32
	messageTime        int64 // of that
	pub                int   // position in Analyzer.conns, plus 1, once it is known to carry SMB; -1 if it is not listed

	client      string // its address; "" until somebody asked
	dialect     smb2.Dialect
	clientGUID  wire.GUID
	serverGUID  wire.GUID
	cipher      smb2.Cipher  // 0 if none was negotiated
	signing     smb2.Signing // valid iff choseSigning
	maxMessage  uint32       // bytes of data that a message may have; 0 unknown
	grownMost   uint32       // bytes that a message may become; 0 if none was compressed
	retransmits int
	cutFrames   int
	messages    int
	encrypted   int
	nameless    int // of those, that name no session
	malformed   int
	shrunk      int    // messages that could not be decompressed
	shrunkWhy   error  // the last of them
	lost        uint64 // bytes
	sessions    []uint32
	credits     credits
	synAck      int64 // ns from SYN to its answer; 0 if the capture does not show both
	fins        uint8 // bits of the sides that have sent FIN, or RST for both
	firstTime   int64
	endTime     int64  // of its first FIN or RST, or when its ports were used again; 0 if it goes on
	name        string // of the client, as clientOf has it; "" if not made yet
	lastTime    int64
	talk        *talk // nil if nobody looks at what it holds

	choseSigning bool

	// Only with keys.
	preauth seal.Preauth // of NEGOTIATE
	heard   bool         // nothing of that is missing
	logins  []*login

	older, newer *conn // in order of their last frames
}

// maxConns bounds the connections that are followed at once; the one that was silent
// for longest is forgotten first. maxListed bounds those that the outside sees.
const (
	maxConns  = 1 << 15
	maxListed = 1 << 15
)

// recency is connections in order of their last frames.
type recency struct {
	oldest, newest *conn
	n              int
	evicted        int
}

func (r *recency) touch(c *conn) {
	if r.newest == c {
		return
	}
	if c.newer != nil || r.oldest == c {
		r.remove(c)
	}
	c.older, c.newer = r.newest, nil
	if r.newest != nil {
		r.newest.newer = c
	} else {
		r.oldest = c
	}
	r.newest = c
	r.n++
}

func (r *recency) remove(c *conn) {
	if c.older != nil {
		c.older.newer = c.newer
	} else {
		r.oldest = c.newer
	}
	if c.newer != nil {
		c.newer.older = c.older
	} else {
		r.newest = c.older
	}
	c.older, c.newer = nil, nil
	r.n--
}

// protocol is what a connection carries.
type protocol uint8

const (
	undecided protocol = iota
	session            // NetBIOS session service with SMB in it
	framed             // iWARP
	foreign            // anything else
)

// sender returns which end of c sent the frame, as keyOf has it; -1 if it is not of c.
func (c *conn) sender(h *inet.Headers) int {
	switch {
	case c == nil:
	case h.DstPort == c.key.lowPort && h.SrcPort == c.key.highPort && h.Dst == c.key.lowAddr && h.Src == c.key.highAddr:
		return 1
	case h.SrcPort == c.key.lowPort && h.DstPort == c.key.highPort && h.Src == c.key.lowAddr && h.Dst == c.key.highAddr:
		return 0
	}
	return -1
}

// lookup finds the connection of the frame, or begins one.
func (a *Analyzer) lookup(h *inet.Headers) (*conn, int) {
	c := a.lastConn
	dir := c.sender(h)
	if dir < 0 {
		k, d := keyOf(h)
		c, dir = a.byKey[k], d
	}
	// A SYN on a connection that was over, or with a new sequence number, reuses
	// the ports.
	if c != nil && h.Flags&(inet.SYN|inet.ACK) == inet.SYN && c.streams[dir].seen && (c.closed || h.Seq+1 != c.streams[dir].base) {
		a.endConn(c)
		c = nil
	}
	if c == nil {
		k, d := keyOf(h)
		c, dir = a.newConn(k, d, h), d
	}
	a.lastConn = c
	return c, dir
}

func (a *Analyzer) newConn(k connKey, dir int, h *inet.Headers) *conn {
	a.connCount++
	var c *conn
	if len(a.byKey) >= maxConns {
		a.recent.evicted++
		c = a.recent.oldest
		a.endConn(c)
	}
	if c == nil || c.pub != 0 || c.direct != nil { // else nobody knows it
		c = new(conn)
	}
	*c = conn{id: a.connCount, stream: a.streamCount, key: k, server: -1, first: a.frame, firstTime: a.now}
	a.streamCount++
	for i := range c.side {
		c.side[i].scale = -1
	}
	a.byKey[k] = c
	if a.index != nil {
		a.index.conns.add(indexedConn{firstTime: a.now, stream: c.stream})
	}
	src, dst := servicePort(h.SrcPort), servicePort(h.DstPort)
	switch {
	case src && !dst:
		c.server = dir
	case dst && !src:
		c.server = 1 - dir
	}
	switch {
	case a.forcedMPA[h.SrcPort] || a.forcedMPA[h.DstPort]:
		a.frames(c)
	case h.SrcPort == smbd.PortIWARP || h.DstPort == smbd.PortIWARP: // or something else: see recognise
	case src || dst || a.forced[h.SrcPort] || a.forced[h.DstPort]:
		c.speaks = session
	}
	return c
}

// servicePort reports whether SMB is what the port is for.
func servicePort(p uint16) bool { return p == 445 || p == 139 || p == smbd.PortIWARP }

// endConn forgets what the connection's requests still wait for.
func (a *Analyzer) endConn(c *conn) {
	if c.endTime == 0 {
		c.endTime = a.now
	}
	a.flushStream(c, 0)
	a.flushStream(c, 1)
	if c.direct != nil {
		c.direct.rest(c.last, c.lastTime)
	}
	for dir := range c.streams {
		s := &c.streams[dir]
		a.takeBack(s)
		a.waiting -= s.counted
		s.buf, s.counted = nil, 0
	}
	if c.pub > 0 {
		a.conns[c.pub-1] = c.published()
	}
	if a.index == nil && (c.pub < 0 || len(a.byID) > maxConns/4) {
		delete(a.byID, c.id)
	}
	if a.byKey[c.key] == c {
		delete(a.byKey, c.key)
		a.recent.remove(c)
	}
	if a.lastConn == c {
		a.lastConn = nil
	}
}

// ends returns the addresses of client and server; without knowing better, the
// sender of the first frame is the client.
func (c *conn) ends() (client, server netip.AddrPort) {
	low, high := netip.AddrPortFrom(c.key.lowAddr, c.key.lowPort), netip.AddrPortFrom(c.key.highAddr, c.key.highPort)
	if c.server == 0 {
		return high, low
	}
	return low, high
}

// clientName returns the client's address, once a message has shown who that is.
func (c *conn) clientName() string {
	if c.client == "" {
		client, _ := c.ends()
		c.client = client.Addr().String()
	}
	return c.client
}

func (c *conn) transport() Transport {
	if c.direct != nil {
		return c.direct.kind
	}
	return TCP
}

// published returns what the outside may know of c.
func (c *conn) published() Connection {
	client, server := c.ends()
	return Connection{
		Transport: c.transport(), Host: int(c.host), ID: int(c.id), Client: client, Server: server, First: int(c.first), Last: int(c.last), FirstTime: c.firstTime, LastMessage: int(c.lastMessage), LastTime: c.messageTime, EndTime: c.endTime,
		Dialect: c.dialect, ClientGUID: c.clientGUID, ServerGUID: c.serverGUID,
		Credits: c.credits.published(), LateStart: !c.syn, LostBytes: c.lost, CutFrames: c.cutFrames,
		Retransmitted: c.retransmits, Messages: c.messages, Encrypted: c.encrypted, Nameless: c.nameless, Malformed: c.malformed,
		Compressed: c.shrunk, CompressedWhy: c.shrunkWhy,
	}
}
