package flows

// Requests and their answers.

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/odxray/odxray/dissect/auth"
	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/odx"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
)

// exchange is one request and its answers, or a lone answer. It holds no pointers:
// there may be millions.
type exchange struct {
	messageID uint64
	offset    uint64
	length    uint64
	moved     uint64
	reqTime   int64
	ansTime   int64
	number    uint32 // ID
	reqFrame  uint32
	ansFrame  uint32
	interim   uint32 // frame of the STATUS_PENDING answer
	conn      uint32
	session   uint32
	tree      uint32
	treeID    uint32 // as the request says it: a tree may be unknown
	open      uint32
	before    uint32 // the exchange that a related request goes on from
	name      uint32 // CREATE: path. QUERY_DIRECTORY: pattern. TREE_CONNECT: share. SESSION_SETUP: account
	host      uint32 // SESSION_SETUP: workstation. SET_INFO: new path. WRITE: hash of the first bytes, and of a READ by RDMA
	function  fscc.Code
	more      uint32 // QUERY_INFO: AdditionalInformation. CLOSE: Flags
	status    ntstatus.Status
	waited    uint32 // µs for which the client had no credits just before
	command   smb2.Command
	infoType  uint8
	infoClass uint8
	facts     exchangeFacts
}

type exchangeFacts uint16

const (
	answered exchangeFacts = 1 << iota // the final answer was seen
	hasRange                           // offset and length are valid
	signed
	damaged  // a message of it was lost or cut in part
	kept     // a copy or the index refers to it
	setsSize // length is the end of file that it sets
	setsAllocation
	needed // the next of its compound goes on from it
	over   // its place is free once it is not needed
)

// pendingKey is what pairs messages: ids are unique within a connection. [MS-SMB2] 3.2.4.1.3
type pendingKey struct {
	conn uint32
	id   uint64
}

// maxPending bounds the requests that wait for an answer.
const maxPending = 1 << 17

// exchangeTable holds exchanges by index, from 1. Without an index of the capture, a
// finished one's place is used again.
type exchangeTable struct {
	list    chunks[exchange]
	free    []uint32
	done    []uint32 // finished by the unit at hand
	pending map[pendingKey]uint32
	async   map[pendingKey]uint32 // by AsyncId: those of pending that the server has said so of
	asides  map[uint32]*aside
	spare   []*aside // to be used again
	early   earlyTable
	count   int      // of all there were
	evicted int      // requests dropped because too many waited
	nothing exchange // stands for one that was dropped
}

func (t *exchangeTable) init() {
	t.list.add(exchange{})
	t.pending = make(map[pendingKey]uint32)
	t.async = make(map[pendingKey]uint32)
	t.asides = make(map[uint32]*aside)
}

func (t *exchangeTable) add() (uint32, *exchange) {
	t.count++
	i := place(&t.free, t.list.n, func() { t.list.add(exchange{}) })
	e := t.at(i)
	*e = exchange{number: uint32(t.count)}
	return i, e
}

// at returns exchange i; one without anything if it was dropped.
func (t *exchangeTable) at(i uint32) *exchange {
	if int(i) < t.list.gone {
		t.nothing = exchange{}
		return &t.nothing
	}
	return t.list.at(int(i))
}

// drop forgets exchanges that began in frames which are forgotten, whether they have been
// answered or not.
func (t *exchangeTable) drop(a *Analyzer) {
	for t.list.gone+2*chunkSize < t.list.n && int(t.list.at(t.list.gone+chunkSize-1).reqFrame) <= a.index.frames.gone {
		for i := t.list.gone; i < t.list.gone+chunkSize; i++ {
			e, x := t.list.at(i), uint32(i)
			if k := (pendingKey{e.conn, e.messageID}); e.facts&answered == 0 && t.pending[k] == x && x != 0 {
				delete(t.pending, k)
				delete(t.async, pendingKey{e.conn, t.beside(x).asyncID})
				delete(a.copies.waiting, x)
				t.evicted++
			}
			t.forget(x)
		}
		t.list.drop(nil)
	}
}

// find returns the exchange that waits for an answer with that id, or 0.
func (t *exchangeTable) find(conn uint32, id uint64) uint32 {
	return t.pending[pendingKey{conn, id}]
}

// settle makes room once nobody looks at the unit at hand any more.
func (t *exchangeTable) settle(a *Analyzer) {
	t.expire(a.frame)
	if a.onExchange != nil {
		for _, i := range t.done {
			a.onExchange(i)
		}
	}
	if a.index == nil {
		for _, i := range t.done {
			if t.at(i).facts&kept == 0 {
				t.release(i)
			}
		}
	}
	t.done = t.done[:0]
	a.tidy()
}

// release frees the place of a finished exchange, and of those before it in its
// compound, which waited for it. One that the next of its compound goes on from waits.
func (t *exchangeTable) release(i uint32) {
	for i != 0 {
		e := t.at(i)
		if e.facts&needed != 0 {
			e.facts |= over
			return
		}
		before := e.before
		*e = exchange{}
		t.free = append(t.free, i)
		t.forget(i)
		if before == 0 {
			return
		}
		b := t.at(before)
		if b.facts &^= needed; b.facts&over == 0 {
			return
		}
		i = before
	}
}

// unanswered hands on the requests that got no answer, in their order.
func (t *exchangeTable) unanswered(a *Analyzer) {
	if a.onExchange == nil {
		return
	}
	byNumber := func(i, j uint32) int { return cmp.Compare(t.at(i).number, t.at(j).number) }
	for _, i := range slices.SortedFunc(maps.Values(t.pending), byNumber) {
		a.onExchange(i)
	}
}

// context fills ctx with what is known of exchange x: the same for its first
// decoding and for every later look.
func (t *exchangeTable) context(a *Analyzer, x uint32, ctx *smb2.Context) { t.at(x).context(a, ctx) }

func (e *exchange) context(a *Analyzer, ctx *smb2.Context) {
	*ctx = smb2.Context{}
	ctx.Request = smb2.Request{Function: e.function, InfoType: e.infoType, InfoClass: e.infoClass, Additional: e.more, Name: a.names[e.name]}
	if o := e.open; o != 0 {
		ctx.File, ctx.OpenFrame, ctx.CloseFrame = a.names[a.opens[o].name], a.opens[o].openFrame, a.opens[o].closeFrame
		if e.command == smb2.Close { // which Wireshark names from its request on
			ctx.CloseFrame = e.reqFrame
		} else if e.command == smb2.Create {
			ctx.CloseFrame = 0
		}
		a.pipes.context(a, e, &ctx.RPC)
	}
	if tr := e.tree; tr != 0 && e.command != smb2.TreeConnect { // whose answer makes the tree
		ctx.Share, ctx.ShareType, ctx.ShareFrame = a.trees[tr].share, a.trees[tr].kind, a.trees[tr].frame
		ctx.Pipe = a.trees[tr].kind == 2
	}
	a.tellSession(e.session, ctx)
}

// tellSession fills ctx with whose session s is, if it is one.
func (a *Analyzer) tellSession(s uint32, ctx *smb2.Context) {
	if s != 0 {
		ctx.Account, ctx.Domain, ctx.Host, ctx.SessionFrame = a.sessions[s].user, a.sessions[s].domain, a.sessions[s].host, a.sessions[s].frame
	}
}

// wrapped fills ctx with what is known of the session of an encrypted message: of its
// connection, and by its id.
func (a *Analyzer) wrapped(conn uint32, id uint64, ctx *smb2.Context) {
	*ctx = smb2.Context{}
	if c := a.byID[conn]; c != nil {
		a.tellSession(a.sessionByKey[sessionKey{a.serverOf(c), id}], ctx)
	}
}

// request begins an exchange; into is the one that its answer has begun, or 0. prev is the
// exchange of the message before it in the chain, or 0.
func (a *Analyzer) request(c *conn, m *smb2.Message, prev, into uint32, u *unit) delivered {
	if m.Command == smb2.OplockBreak {
		a.acknowledged(c, m)
		a.gaveUp(c, m)
	}
	if m.Command == smb2.Cancel {
		return delivered{x: a.exchanges.cancelled(c, m, a.frame)}
	}
	x, e := into, a.exchanges.at(into)
	if into == 0 {
		x, e = a.exchanges.add()
	}
	*e = exchange{
		number: e.number, messageID: m.MessageID, reqFrame: a.frame, reqTime: a.now, conn: c.id, command: m.Command,
		treeID: m.TreeID,
	}
	e.session = a.sessionOf(c, m.SessionID)
	if m.Flags&smb2.FlagRelated != 0 && prev != 0 {
		p := a.exchanges.at(prev)
		e.before = prev
		p.facts |= needed
		if e.session == 0 {
			e.session = p.session
		}
		if m.TreeID == ^uint32(0) {
			e.treeID = p.treeID
		}
	}
	e.tree = a.treeOf(e.session, e.treeID)
	if m.Flags&smb2.FlagSigned != 0 {
		e.facts |= signed
		if e.session != 0 {
			a.sessions[e.session].signed = true
		}
	}
	waited := c.credits.spend(c, m, a.now)
	a.remember(&c.credits)
	if waited > 0 {
		e.waited = uint32(min(waited/1000, math.MaxUint32))
	}
	if replay := m.Flags&smb2.FlagReplay != 0; replay || m.ChannelSequence != 0 && c.dialect >= smb2.Dialect300 {
		b := a.exchanges.aside(x)
		b.sequence, b.replay = m.ChannelSequence, replay
	}
	if m.Err != nil || u.lost {
		e.facts |= damaged
	}
	if m.Err == nil || m.Command == smb2.Ioctl { // whose buffer may be the part that is wrong
		a.asked(c, x, m)
	}
	a.pipes.spoken(a, e, m.RPC)
	k := pendingKey{c.id, m.MessageID}
	if len(a.exchanges.pending) >= maxPending {
		a.exchanges.evicted++
		a.exchanges.done = append(a.exchanges.done, x)
	} else {
		a.exchanges.pending[k] = x
		if c.direct != nil {
			c.direct.owing++
		}
	}
	if (m.Err == nil || m.Command == smb2.Ioctl) && a.copies.request(a, x, m) {
		dir := 1 - c.server
		c.streams[dir].remember(u, x, a.frame)
	}
	return delivered{x: x}
}

// asked keeps what the body of a request says.
func (a *Analyzer) asked(c *conn, x uint32, m *smb2.Message) {
	e := a.exchanges.at(x)
	on := func(fid smb2.FileID) {
		switch {
		case fid == invalidFile && e.before != 0:
			e.open = a.exchanges.at(e.before).open
		default:
			e.open = a.openOf(e.session, e.tree, fid)
		}
	}
	at := func(offset, length uint64) {
		e.offset, e.length = offset, length
		e.facts |= hasRange
	}
	switch b := m.Body.(type) {
	case *smb2.CreateRequest:
		e.name = a.internFile(b)
		if b.Contexts.Has(smb2.ContextAllocation) {
			e.length = b.AllocationSize
		}
		a.outlives(x, b)
	case *smb2.OplockBreakAcknowledgment:
		on(b.File)
	case *smb2.CloseRequest:
		on(b.File)
		e.more = uint32(b.Flags)
	case *smb2.FlushRequest:
		on(b.File)
	case *smb2.ReadRequest:
		on(b.File)
		at(b.Offset, uint64(b.Length))
		a.offered(c, x, b.Channel, b.Descriptors, true)
	case *smb2.WriteRequest:
		on(b.File)
		at(b.Offset, max(uint64(b.Length), uint64(b.RemainingBytes)))
		e.host = sampleOf(b.Data, b.Length)
		a.offered(c, x, b.Channel, b.Descriptors, false)
	case *smb2.LockRequest:
		on(b.File)
	case *smb2.IoctlRequest:
		e.function = b.Function
		on(b.File)
		if off, n, ok := ioctlRange(b); ok {
			at(off, n)
		}
		if in, ok := b.Input.(*fscc.SparseRequest); ok && !in.Sparse {
			e.length = 1
		}
	case *smb2.QueryDirectoryRequest:
		on(b.File)
		e.infoClass = uint8(b.Class)
		e.name = a.intern(b.Pattern)
	case *smb2.ChangeNotifyRequest:
		on(b.File)
	case *smb2.QueryInfoRequest:
		on(b.File)
		e.infoType, e.infoClass, e.more = uint8(b.Type), b.Class, uint32(b.Additional)
	case *smb2.SetInfoRequest:
		on(b.File)
		e.infoType, e.infoClass, e.more = uint8(b.Type), b.Class, uint32(b.Additional)
		if in, ok := b.Info.(*fscc.EndOfFileInfo); ok {
			at(0, in.EndOfFile)
			e.facts |= setsSize
		}
		if in, ok := b.Info.(*fscc.AllocationInfo); ok {
			e.length = in.AllocationSize
			e.facts |= setsAllocation
		}
		if in, ok := b.Info.(*fscc.RenameInfo); ok {
			e.host = a.intern(in.Name)
		}
	case *smb2.NegotiateRequest:
		c.clientGUID, c.name = b.ClientGUID, ""
	case *smb2.TreeConnectRequest:
		e.name = a.intern(b.Path)
	case *smb2.SessionSetupRequest:
		if b.Flags&smb2.SessionBinding != 0 {
			a.exchanges.aside(x).binding = true
			a.bind(c, e)
		}
		e.length = b.PreviousSessionID
		a.whoAsks(e, b.SecurityBlob)
	}
}

// response ends or goes on with exchange x, or begins one without a request.
func (a *Analyzer) response(c *conn, m *smb2.Message, x uint32, u *unit) delivered {
	if m.MessageID == ^uint64(0) {
		a.breaks(c, m)
		a.broken(c, m)
		return delivered{response: true} // an oplock or lease break: nobody asked
	}
	if x == 0 {
		var e *exchange
		x, e = a.exchanges.add()
		*e = exchange{number: e.number, messageID: m.MessageID, conn: c.id, command: m.Command, treeID: m.TreeID}
		e.session = a.sessionOf(c, m.SessionID)
		if m.Flags&smb2.FlagAsync == 0 {
			e.tree = a.treeOf(e.session, m.TreeID)
		}
	}
	e := a.exchanges.at(x)
	if d := c.direct; d != nil && d.owing > 0 && e.reqFrame != 0 && e.interim == 0 && e.facts&answered == 0 {
		d.owing--
	}
	if m.Status == ntstatus.Pending && m.Flags&smb2.FlagAsync != 0 {
		a.exchanges.pended(c, x, m.AsyncID, a.frame, a.now)
		a.exchanges.pending[pendingKey{c.id, m.MessageID}] = x
		return delivered{x: x, response: true, interim: true}
	}
	delete(a.exchanges.pending, pendingKey{c.id, m.MessageID})
	a.exchanges.ended(c, x)
	e.ansFrame, e.ansTime, e.status = a.frame, a.now, m.Status
	e.facts |= answered
	if failed(m.Status) && m.Status != ntstatus.MoreProcessingRequired {
		a.marks |= MarkError
	}
	if m.Err != nil || u.lost {
		e.facts |= damaged
	}
	if e.session == 0 && m.Command != smb2.SessionSetup { // which may begin another of that id
		e.session = a.sessionOf(c, m.SessionID)
	}
	if m.Err == nil || m.Body != nil {
		a.answer(c, x, m)
	}
	if c.direct != nil {
		c.direct.withdrawn(x, a.frame)
		a.settled(c, x)
		a.inlined(c.direct, x, u.plain != nil)
	}
	a.pipes.spoken(a, e, m.RPC)
	a.copies.response(a, c, x, m)
	a.observe(e, m)
	return delivered{x: x, response: true}
}

// answer keeps what the body of a response says.
func (a *Analyzer) answer(c *conn, x uint32, m *smb2.Message) {
	e := a.exchanges.at(x)
	if e.open == 0 && e.before != 0 {
		e.open = a.exchanges.at(e.before).open // the CREATE before it in the chain has been answered by now
	}
	switch b := m.Body.(type) {
	case *smb2.NegotiateResponse:
		if b.Dialect != smb2.DialectWildcard {
			c.dialect = b.Dialect
		}
		c.negotiated(b)
		c.serverGUID = b.ServerGUID
		a.identify(c, b.ServerGUID)
	case *smb2.SessionSetupResponse:
		a.loggedIn(c, x, m, b)
	case *smb2.LogoffResponse:
		if s := e.session; s != 0 && !failed(m.Status) {
			a.sessionOver(s, false)
		}
	case *smb2.TreeDisconnectResponse:
		if e.tree != 0 && !failed(m.Status) {
			a.treeGone(e.tree)
		}
	case *smb2.TreeConnectResponse:
		if e.session != 0 && m.TreeID != 0 {
			k := treeKey{e.session, m.TreeID}
			i := a.newTree(k)
			t := &a.trees[i]
			t.share, t.kind, t.frame = a.names[e.name], uint8(b.ShareType), a.frame
			e.tree, e.treeID = i, m.TreeID
		}
	case *smb2.CreateResponse:
		i := a.resumed(c, x, b)
		if i == 0 {
			i = a.opened(openKey{e.session, b.File}, e.tree)
			a.opens[i].openFrame = a.frame
		}
		e.open = i
		if o := &a.opens[i]; e.name != 0 || o.name == 0 {
			o.name = e.name
		}
		a.lasts(c, x, i, b)
		a.granted(c, i, b)
	case *smb2.CloseResponse:
		if e.open != 0 {
			a.closed(e.open, cmp.Or(e.reqFrame, a.frame))
		}
	case *smb2.ReadResponse:
		e.moved = max(uint64(b.DataLength), uint64(b.DataRemaining))
		if k := a.exchanges.asides[x]; k != nil { // an answer may bring its data though there is memory for it
			k.promised = uint64(b.DataRemaining)
		}
	case *smb2.WriteResponse:
		e.moved = uint64(b.Count)
		if k := a.exchanges.asides[x]; k != nil {
			k.promised = uint64(b.Count)
		}
	case *smb2.IoctlResponse:
		if e.function == 0 {
			e.function = b.Function
		}
		if e.open == 0 {
			e.open = a.openOf(e.session, e.tree, b.File)
		}
		e.moved = ioctlMoved(e, b)
	}
}

// whoAsks keeps who a SESSION_SETUP says it is. Kerberos hides that.
func (a *Analyzer) whoAsks(e *exchange, blob []byte) {
	cur := wire.New(blob, nil)
	auth.Decode(&cur, &a.login)
	if a.login.Mechanism != auth.NTLM {
		return
	}
	n := &a.login.NTLM
	b := n.Domain.AppendTo(a.nameBuf[:0])
	if len(n.User.Raw) > 0 {
		b = n.User.AppendTo(append(b, '\\'))
		e.name = a.internBytes(b)
		b = n.Workstation.AppendTo(b[:0])
		e.host = a.internBytes(b)
	}
	a.nameBuf = b
}

// loggedIn keeps who a session belongs to.
func (a *Analyzer) loggedIn(c *conn, x uint32, m *smb2.Message, b *smb2.SessionSetupResponse) {
	e := a.exchanges.at(x)
	if e.session == 0 && e.reqFrame != 0 && (m.Status == ntstatus.Success || m.Status == ntstatus.MoreProcessingRequired) {
		a.begins(c, m.SessionID)
	}
	e.session = a.sessionOf(c, m.SessionID)
	if m.Status != ntstatus.Success || e.session == 0 {
		return
	}
	s := &a.sessions[e.session]
	if a.exchanges.beside(x).binding {
		return // another channel of the same
	}
	if s.frame == 0 {
		s.frame = a.frame
		a.succeeds(e.session, e.length)
		s = &a.sessions[e.session]
	} else {
		a.reauthenticated(s, a.names[e.name])
	}
	s.guest = b.Flags&smb2.SessionGuest != 0
	if name := a.names[e.name]; name != "" {
		s.domain, s.user, _ = strings.Cut(name, `\`)
		s.host = a.names[e.host]
	}
}

// ioctlRange returns what a control code asks for, in bytes of the file it is on.
func ioctlRange(m *smb2.IoctlRequest) (offset, length uint64, ok bool) {
	switch b := m.Input.(type) {
	case *odx.ReadRequest:
		return b.FileOffset, b.CopyLength, true
	case *odx.WriteRequest:
		return b.FileOffset, b.CopyLength, true
	case *fscc.CopyChunkRequest:
		if b.Chunks.Len() == 0 {
			return 0, 0, false
		}
		offset = b.Chunks.At(0).Target
		for i := range b.Chunks.Len() {
			length += uint64(b.Chunks.At(i).Length)
		}
		return offset, length, true
	case *fscc.DuplicateExtentsRequest:
		return b.TargetOffset, b.Length, true
	case *fscc.DuplicateExtentsExRequest:
		return b.TargetOffset, b.Length, true
	case *fscc.ZeroDataRequest:
		return b.Offset, b.Beyond - b.Offset, b.Beyond >= b.Offset
	case *fscc.AllocatedRangesRequest:
		return b.Offset, b.Length, true
	case *fscc.TrimRequest:
		if b.Ranges.Len() > 0 {
			return b.Ranges.At(0).Offset, b.Ranges.At(0).Length, true
		}
	}
	return 0, 0, false
}

// ioctlMoved returns how many bytes a control code moved.
func ioctlMoved(e *exchange, m *smb2.IoctlResponse) uint64 {
	switch b := m.Output.(type) {
	case *odx.ReadReply:
		return b.TransferLength
	case *odx.WriteReply:
		return b.LengthWritten
	case *fscc.CopyChunkReply:
		return uint64(b.TotalBytes)
	}
	if e.function == fscc.DuplicateExtents || e.function == fscc.DuplicateExtentsEx {
		return e.length
	}
	return 0
}

// fileName returns the path that an exchange is about; "" if unknown or none.
func (a *Analyzer) fileName(e *exchange) string {
	if e.command == smb2.Create {
		return a.names[e.name]
	}
	if e.open != 0 {
		return a.names[a.opens[e.open].name]
	}
	return ""
}
