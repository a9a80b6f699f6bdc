package flows

// Calls that move data from one file to another: which requests they are, and what
// is kept of them until they are answered.

import (
	"cmp"
	"errors"
	"maps"
	"slices"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/odx"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
)

const (
	maxCalls  = 1 << 12 // calls kept of one copy's story; past it, only those that are not ordinary
	allCalls  = 1 << 16 // calls kept of all
	maxTokens = 1 << 13 // mints whose 512 bytes are kept
	maxChunks = 1 << 10 // chunks kept of one copychunk request; servers take 256
	maxKeys   = 1 << 16 // resume keys kept
)

// copyTable is every copy, mint and file.
type copyTable struct {
	list     []*copyState
	byKey    map[copyKey]*copyState
	tokens   tokenTable
	waiting  map[uint32]*waitingCall // requests by exchange
	spare    []*waitingCall          // to be used again
	keys     map[resumeKey]uint32    // the source's file
	lost     bool                    // some of them were dropped
	orphans  map[orphanKey][]Call    // calls of a source that belong to no copy yet
	loose    []Call                  // calls that belong to no copy
	calls    int                     // kept in all
	made     int                     // copies there were
	numbered bool                    // ids stay as they were given
	accepts  map[fileKey]bool        // shares on which an offload call was taken
	strange  map[string]*copyState   // by client, the latest copy in which a token was refused that nobody minted
	breaks   breakTable
	recent   recentReaders
}

func (t *copyTable) init() {
	t.byKey = make(map[copyKey]*copyState)
	t.tokens.init()
	t.waiting = make(map[uint32]*waitingCall)
	t.keys = make(map[resumeKey]uint32)
	t.orphans = make(map[orphanKey][]Call)
	t.accepts = make(map[fileKey]bool)
	t.strange = make(map[string]*copyState)
	t.breaks.leases = make(map[leaseKey]uint32)
}

// resumeKey is what SRV_REQUEST_RESUME_KEY gives for a source. [MS-SMB2] 2.2.32.3
type resumeKey struct {
	server uint32
	key    fscc.ResumeKey
}

// copyKey is what makes two calls one copy.
type copyKey struct {
	client   string
	from, to uint32 // files
}

type orphanKey struct {
	client string
	file   uint32
}

// waitingCall is a request that waits for its answer, with what the answer does not
// repeat.
type waitingCall struct {
	Call
	token   tokenKey
	raw     []byte // of the token
	ttl     uint32 // milliseconds
	key     fscc.ResumeKey
	source  smb2.FileID // of DUPLICATE_EXTENTS
	chunks  []fscc.Chunk
	session uint32
}

// request keeps what the answer of a copy's call will not say, and reports whether m
// is one.
func (t *copyTable) request(a *Analyzer, x uint32, m *smb2.Message) (ours bool) {
	b, ok := m.Body.(*smb2.IoctlRequest)
	if !ok {
		return false
	}
	e := a.exchanges.at(x)
	w := t.newCall()
	defer func() {
		if !ours {
			t.spare = append(t.spare, w)
		}
	}()
	raw, chunks := w.raw[:0], w.chunks[:0]
	*w = waitingCall{raw: raw, chunks: chunks, session: e.session, Call: Call{
		Command: smb2.Ioctl, Function: b.Function, Frame: int(e.reqFrame), Time: e.reqTime, Conn: int(e.conn),
		Input: b.InputCount, MaxOutput: b.MaxOutput, Replay: m.Flags&smb2.FlagReplay != 0,
	}}
	short := m.Err != nil && errors.Is(m.Err, wire.ErrShort)
	if m.Err != nil && !short {
		return false // the capture does not hold all of it
	}
	switch b.Function {
	case fscc.OffloadRead:
		if in, ok := b.Input.(*odx.ReadRequest); ok {
			w.Size, w.ttl, w.Offset, w.Asked = in.Size, in.TTL, in.FileOffset, in.CopyLength
		}
		w.Damaged = short || b.InputCount < readRequestSize
		a.marks |= MarkOffload
	case fscc.OffloadWrite:
		if in, ok := b.Input.(*odx.WriteRequest); ok && len(in.Token.Raw) > 0 {
			w.Size, w.Offset, w.Asked, w.From = in.Size, in.FileOffset, in.CopyLength, in.TransferOffset
			w.token, w.TokenType, w.raw = a.copies.tokens.keyOf(in.Token.Raw), uint32(in.Token.Type), append(w.raw, in.Token.Raw...)
		}
		w.Damaged = short || b.InputCount < writeRequestSize
		a.marks |= MarkOffload
	case fscc.CopyChunk, fscc.CopyChunkWrite:
		in, ok := b.Input.(*fscc.CopyChunkRequest)
		if !ok || short {
			return false
		}
		w.key = in.Source
		for i := range in.Chunks.Len() {
			k := in.Chunks.At(i)
			w.Asked += uint64(k.Length)
			if i < maxChunks {
				w.chunks = append(w.chunks, k)
			}
		}
		if len(w.chunks) > 0 {
			w.Offset, w.From = w.chunks[0].Target, w.chunks[0].Source
		}
		a.marks |= MarkCopy
	case fscc.DuplicateExtents, fscc.DuplicateExtentsEx:
		switch in := b.Input.(type) {
		case *fscc.DuplicateExtentsRequest:
			w.clone(in)
		case *fscc.DuplicateExtentsExRequest:
			w.clone(&in.DuplicateExtentsRequest)
		}
		if short || w.source == (smb2.FileID{}) {
			return false
		}
		a.marks |= MarkCopy
	default:
		return false
	}
	e.facts |= kept
	t.waiting[x] = w
	return true
}

// Sizes of the structures of offload calls, in bytes. [MS-FSCC] 2.3.41, 2.3.43
const (
	readRequestSize  = 32
	writeRequestSize = 544
)

// clone keeps what a DUPLICATE_EXTENTS asks for.
func (w *waitingCall) clone(in *fscc.DuplicateExtentsRequest) {
	w.source, w.From, w.Offset, w.Asked = smb2.FileID(in.Source), in.SourceOffset, in.TargetOffset, in.Length
}

// repeated notes that the request of exchange x, which ended in frame first, was on
// the wire again.
func (t *copyTable) repeated(x, first, again uint32) {
	if w, ok := t.waiting[x]; ok && w.Frame == int(first) {
		w.Repeats = append(w.Repeats, int(again))
		return
	}
	// Answered meanwhile: it is one of the latest calls.
	for i := len(t.list) - 1; i >= 0; i-- {
		calls := t.list[i].Calls
		for k := len(calls) - 1; k >= max(0, len(calls)-len(stream{}.recent)); k-- {
			if calls[k].Frame == int(first) {
				calls[k].Repeats = append(calls[k].Repeats, int(again))
				return
			}
		}
	}
}

// response ends a call. It also learns of resume keys, which are no call.
func (t *copyTable) response(a *Analyzer, c *conn, x uint32, m *smb2.Message) {
	e := a.exchanges.at(x)
	if e.function == fscc.RequestResumeKey {
		t.learn(a, c, e, m)
		return
	}
	w, ok := t.waiting[x]
	if !ok {
		return
	}
	delete(t.waiting, x)
	e.facts &^= kept
	w.Answer, w.Took, w.Status = int(e.ansFrame), e.ansTime-e.reqTime, m.Status
	var output smb2.Buffer
	if b, ok := m.Body.(*smb2.IoctlResponse); ok {
		output, w.Output = b.Output, b.OutputCount
		if m.Err != nil && !failed(m.Status) {
			w.Damaged = w.Damaged || errors.Is(m.Err, wire.ErrShort)
			if w.Cut = !errors.Is(m.Err, wire.ErrShort); w.Cut {
				output = nil // numbers that the capture lacks are not 0
			}
		}
	}
	t.done(a, c, e, w, output)
	t.spare = append(t.spare, w)
}

// newCall returns a waitingCall that holds anything.
func (t *copyTable) newCall() *waitingCall {
	n := len(t.spare)
	if n == 0 {
		return new(waitingCall)
	}
	w := t.spare[n-1]
	t.spare = t.spare[:n-1]
	return w
}

// learn keeps a resume key.
func (t *copyTable) learn(a *Analyzer, c *conn, e *exchange, m *smb2.Message) {
	b, ok := m.Body.(*smb2.IoctlResponse)
	if !ok {
		return
	}
	if out, ok := b.Output.(*fscc.ResumeKeyReply); ok {
		if len(t.keys) >= maxKeys {
			clear(t.keys)
			t.lost = true
		}
		t.keys[resumeKey{a.serverOf(c), out.Key}] = a.fileOf(e.open)
	}
}

// done takes a call that is answered, or will never be.
func (t *copyTable) done(a *Analyzer, c *conn, e *exchange, w *waitingCall, output smb2.Buffer) {
	w.Host, w.Interim = int(a.serverOf(c)), int(a.interim(e))
	w.tree = e.tree
	to := a.target(e)
	if to != 0 {
		f := &a.files[to]
		w.File, w.End, w.HasEnd = a.names[f.name], f.size, f.hasSize
	}
	switch w.Function {
	case fscc.OffloadRead:
		a.offloadRead(c, e, w, to, output)
	case fscc.OffloadWrite:
		a.offloadWrite(c, e, w, to, output)
	case fscc.CopyChunk, fscc.CopyChunkWrite:
		a.copyChunk(c, e, w, to, output)
	default:
		a.duplicateExtents(c, e, w, to)
	}
	if w.Accepted() && methodOf(&w.Call) == ODX && to != 0 {
		t.accepts[fileKey{a.files[to].server, a.files[to].volume, 0}] = true
	}
}

// interim returns the frame of the STATUS_PENDING answer to a request, or to one
// before it in its compound.
func (a *Analyzer) interim(e *exchange) uint32 {
	for {
		if e.interim != 0 || e.before == 0 {
			return e.interim
		}
		e = a.exchanges.at(e.before)
	}
}

// finish ends the calls that were never answered, at the end of the capture.
func (t *copyTable) finish(a *Analyzer) {
	byFrame := func(x, y uint32) int { return cmp.Compare(t.waiting[x].Frame, t.waiting[y].Frame) }
	for _, x := range slices.SortedFunc(maps.Keys(t.waiting), byFrame) {
		w, e := t.waiting[x], a.exchanges.at(x)
		c := a.byID[e.conn]
		if c == nil {
			continue
		}
		w.Ended, w.Waited = c.endTime != 0, a.last-w.Time
		if w.Ended {
			w.Waited = max(0, c.endTime-w.Time)
		}
		t.done(a, c, e, w, nil)
	}
	clear(t.waiting)
	for i := range a.files {
		a.settle(uint32(i))
	}
	t.number()
}

// number gives copies their ids in the order of their first frames.
func (t *copyTable) number() {
	if t.numbered {
		return
	}
	slices.SortStableFunc(t.list, func(x, y *copyState) int { return cmp.Compare(x.FirstFrame, y.FirstFrame) })
	for i, y := range t.list {
		y.ID = i + 1
	}
}

// clientOf names the client of a connection: its ClientGuid, or its address.
func (a *Analyzer) clientOf(c *conn) string {
	if c.name == "" {
		c.name = addressOf(c)
		if c.clientGUID != (wire.GUID{}) {
			c.name = string(c.clientGUID[:])
		}
	}
	return c.name
}

// addressOf is the client's address, which is what people know it by.
func addressOf(c *conn) string {
	client, _ := c.ends()
	return client.Addr().String()
}

// copyOf returns the copy that a call from one file to another belongs to.
func (a *Analyzer) copyOf(c *conn, e *exchange, from, to uint32, k *Call) *copyState {
	t := &a.copies
	client := a.clientOf(c)
	key := copyKey{client, from, to}
	y, ok := t.byKey[key]
	if ok && y.life == a.files[to].life && (!y.over(a, k) || k.Answer == 0 && k.Frame < y.LastFrame) { // which was asked before
		y.frozen = false
		return y
	}
	if y := a.adopted(client, from, to); y != nil {
		return y
	}
	t.made++
	y = &copyState{client: client, from: from, to: to, life: a.files[to].life, fromLife: a.files[from].life, Copy: Copy{
		ID: t.made, Client: addressOf(c), FirstFrame: k.Frame, FirstTime: k.Time, LastTime: k.Time,
	}}
	if e.session != 0 {
		y.SessionID = a.sessions[e.session].id
	}
	t.list = append(t.list, y)
	t.byKey[key] = y
	into := a.bytesOf(to)
	into.into = append(into.into, y)
	a.out(y)
	if methodOf(k) != ODX && from != 0 {
		a.leaveSpare(y, k.Frame)
	}
	return y
}

// out makes a copy one of its source, with the calls that waited for it.
func (a *Analyzer) out(y *copyState) {
	from := a.bytesOf(y.from)
	from.outOf = append(from.outOf, y)
	from.watched = true
	o := orphanKey{y.client, y.from}
	for _, k := range a.copies.orphans[o] {
		y.add(a, k)
	}
	delete(a.copies.orphans, o)
}

// adopted returns the copy into a file that has had no more than offload writes refused
// whose tokens nobody minted, once it is known what the client copies there; else nil.
func (a *Analyzer) adopted(client string, from, to uint32) *copyState {
	t := &a.copies
	y := t.byKey[copyKey{client, 0, to}]
	if from == 0 || y == nil || y.life != a.files[to].life || y.final != nil || y.Bytes > 0 || len(y.Methods) != 1 || y.Methods[0] != ODX {
		return nil
	}
	delete(t.byKey, copyKey{client, 0, to})
	t.byKey[copyKey{client, from, to}] = y
	none := a.bytesOf(0)
	none.outOf = slices.DeleteFunc(none.outOf, func(o *copyState) bool { return o == y })
	y.from, y.fromLife, y.frozen = from, a.files[from].life, false
	for i := range y.failures { // they were of this copy
		for _, r := range y.failures[i].left {
			y.asked.Add(r)
		}
	}
	a.out(y)
	return y
}

// orphan takes a call that brought no token: it is part of the copy that goes on
// from its source, if there is one, or of the next.
func (a *Analyzer) orphan(c *conn, from uint32, k Call) {
	t := &a.copies
	if from == 0 {
		t.keepLoose(k)
		return
	}
	client := a.clientOf(c)
	for _, y := range slices.Backward(a.bytesOf(from).outOf) {
		if y.client == client && y.going(a) {
			y.add(a, k)
			return
		}
	}
	if o := (orphanKey{client, from}); len(t.orphans[o]) < maxRecent {
		t.orphans[o] = append(t.orphans[o], k)
	} else {
		t.keepLoose(k)
	}
}

// keepLoose keeps a call that belongs to no copy.
func (t *copyTable) keepLoose(k Call) {
	if t.calls < allCalls {
		t.calls++
		t.loose = append(t.loose, k)
	}
}

// looseCalls lists the calls that belong to no copy, so far.
func (t *copyTable) looseCalls() []Call {
	list := slices.Clone(t.loose)
	for _, calls := range t.orphans {
		list = append(list, calls...)
	}
	for _, m := range t.tokens.list {
		if m.call != nil {
			list = append(list, *m.call)
		}
	}
	slices.SortFunc(list, func(x, y Call) int { return cmp.Compare(x.Frame, y.Frame) })
	return list
}
