package flows

// Copies: calls that move data from one file to another, joined over opens,
// sessions and connections.

import (
	"cmp"
	"maps"
	"slices"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/odx"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
)

const (
	maxCalls  = 1 << 16 // calls kept of one copy's story
	maxTokens = 1 << 16 // mints whose 512 bytes are kept
	maxChunks = 1 << 10 // chunks kept of one copychunk request; servers take 256
)

// copyTable is every copy, mint and file.
type copyTable struct {
	list    []*copyState
	byKey   map[copyKey]*copyState
	mints   []*mint
	byToken map[tokenKey][]*mint
	waiting map[uint32]waitingCall // offload and copychunk requests by exchange
	keys    map[resumeKey]uint32
	idCount map[string]int
	refused map[uint32][]Call // offload reads that brought no token, by source
}

func (t *copyTable) init() {
	t.byKey = make(map[copyKey]*copyState)
	t.byToken = make(map[tokenKey][]*mint)
	t.waiting = make(map[uint32]waitingCall)
	t.keys = make(map[resumeKey]uint32)
	t.idCount = make(map[string]int)
	t.refused = make(map[uint32][]Call)
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

// copyState is a copy that may go on.
type copyState struct {
	Copy
	from, to uint32 // files
	origin   bool   // its first bytes went from offset 0 to offset 0
	covered  Ranges // of the destination
	zero     Ranges // of the source, shown as zero
	asked    Ranges // of the destination
	bytes    [ODX + 1]uint64
	used     [ODX + 1]bool
}

// waitingCall is a request that waits for its answer, with what the answer does not
// repeat.
type waitingCall struct {
	function fscc.Code
	token    tokenKey
	kind     odx.TokenType
	ttl      uint32 // milliseconds
	offset   uint64 // of a read in the source, of a write in the destination
	length   uint64
	inToken  uint64 // offset in the token, or in the source of DUPLICATE_EXTENTS
	key      fscc.ResumeKey
	source   smb2.FileID // of DUPLICATE_EXTENTS
	chunks   []fscc.Chunk
	repeats  []int // frames
}

// request keeps what the answer of a copy's call will not say, and reports whether m
// is one.
func (t *copyTable) request(a *Analyzer, x uint32, m *smb2.Message) (ours bool) {
	b, ok := m.Body.(*smb2.IoctlRequest)
	if !ok {
		return false
	}
	w := waitingCall{function: b.Function}
	switch in := b.Input.(type) {
	case *odx.ReadRequest:
		w.ttl, w.offset, w.length = in.TTL, in.FileOffset, in.CopyLength
		a.marks |= MarkOffload
	case *odx.WriteRequest:
		w.token, w.kind = keyOfToken(in.Token.Raw), in.Token.Type
		w.offset, w.length, w.inToken = in.FileOffset, in.CopyLength, in.TransferOffset
		a.marks |= MarkOffload
	case *fscc.CopyChunkRequest:
		w.key = in.Source
		for i := range min(in.Chunks.Len(), maxChunks) {
			w.chunks = append(w.chunks, in.Chunks.At(i))
		}
		a.marks |= MarkCopy
	case *fscc.DuplicateExtentsRequest:
		w.clone(in)
		a.marks |= MarkCopy
	case *fscc.DuplicateExtentsExRequest:
		w.clone(&in.DuplicateExtentsRequest)
		a.marks |= MarkCopy
	default:
		return false
	}
	a.exchanges.list[x].facts |= kept
	t.waiting[x] = w
	return true
}

// clone keeps what a DUPLICATE_EXTENTS asks for.
func (w *waitingCall) clone(in *fscc.DuplicateExtentsRequest) {
	w.source, w.inToken, w.offset, w.length = smb2.FileID(in.Source), in.SourceOffset, in.TargetOffset, in.Length
}

// repeated notes that the request of exchange x, which ended in frame first, was on
// the wire again.
func (t *copyTable) repeated(x, first, again uint32) {
	if w, ok := t.waiting[x]; ok {
		w.repeats = append(w.repeats, int(again))
		t.waiting[x] = w
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
	e := &a.exchanges.list[x]
	if e.function == fscc.RequestResumeKey {
		if b, ok := m.Body.(*smb2.IoctlResponse); ok && e.open != 0 {
			if out, ok := b.Output.(*fscc.ResumeKeyReply); ok {
				t.keys[resumeKey{a.serverOf(c), out.Key}] = a.fileOf(e.open)
			}
		}
		return
	}
	w, ok := t.waiting[x]
	if !ok {
		return
	}
	delete(t.waiting, x)
	if e.open != 0 {
		a.opens[e.open].kept = true
	}
	k := Call{
		Command: smb2.Ioctl, Function: w.function, Frame: int(e.reqFrame), Answer: int(e.ansFrame),
		Time: e.reqTime, Took: e.ansTime - e.reqTime, Offset: w.offset, Asked: w.length, Status: m.Status, Repeats: w.repeats,
	}
	if e.ansFrame != 0 {
		a.marks |= MarkCopy
	}
	var output any
	if b, ok := m.Body.(*smb2.IoctlResponse); ok {
		output = b.Output
	}
	switch w.function {
	case fscc.OffloadRead:
		a.offloadRead(c, e, &w, k, output)
	case fscc.OffloadWrite:
		a.offloadWrite(c, e, &w, k, output)
	case fscc.CopyChunk, fscc.CopyChunkWrite:
		a.copyChunk(c, e, &w, k, output)
	case fscc.DuplicateExtents, fscc.DuplicateExtentsEx:
		a.duplicateExtents(c, e, &w, k)
	}
}

// finish ends the calls that were never answered, at the end of the capture.
func (t *copyTable) finish(a *Analyzer) {
	for _, x := range slices.Sorted(maps.Keys(t.waiting)) {
		w, e := t.waiting[x], &a.exchanges.list[x]
		c := a.byID[e.conn]
		if c == nil || w.function != fscc.OffloadWrite {
			continue
		}
		k := Call{
			Command: smb2.Ioctl, Function: w.function, Frame: int(e.reqFrame), Time: e.reqTime,
			Offset: w.offset, Asked: w.length, Repeats: w.repeats,
		}
		a.offloadWrite(c, e, &w, k, nil)
	}
	clear(t.waiting)
}

// clientOf names the client of a connection: its ClientGuid, or its address.
func (a *Analyzer) clientOf(c *conn) string {
	if c.clientGUID != (wire.GUID{}) {
		return string(c.clientGUID[:])
	}
	client, _ := c.ends()
	return client.Addr().String()
}

// copyOf returns the copy that a call from one file to another belongs to.
func (a *Analyzer) copyOf(c *conn, e *exchange, from, to uint32, k *Call) *copyState {
	t := &a.copies
	key := copyKey{a.clientOf(c), from, to}
	y, ok := t.byKey[key]
	if !ok {
		client, _ := c.ends()
		y = &copyState{from: from, to: to, Copy: Copy{
			ID: len(t.list) + 1, Client: client.Addr().String(), FirstFrame: k.Frame, FirstTime: k.Time,
		}}
		if e.session != 0 {
			y.SessionID = a.sessions[e.session].id
		}
		t.list = append(t.list, y)
		t.byKey[key] = y
	}
	return y
}

// add takes a call into the copy's story.
func (y *copyState) add(k Call) {
	if y.FirstFrame == 0 || k.Frame < y.FirstFrame {
		y.FirstFrame, y.FirstTime = k.Frame, k.Time
	}
	if last := max(k.Frame, k.Answer); last > y.LastFrame {
		y.LastFrame, y.LastTime = last, k.Time+k.Took
	}
	if len(y.Calls) < maxCalls {
		y.Calls = append(y.Calls, k)
	}
}

// moved takes n bytes from one offset to the other.
func (y *copyState) moved(m Method, from, to, n uint64) {
	if !y.used[m] {
		y.used[m] = true
		y.Methods = append(y.Methods, m)
	}
	y.bytes[m] += n
	y.Bytes += n
	if len(y.covered) == 0 {
		y.origin = from == 0 && to == 0
	}
	y.covered.Add(span(to, n))
}

// result returns what is known of the copy.
func (y *copyState) result(a *Analyzer) Copy {
	r := y.Copy
	r.Method = r.mainMethod(y)
	r.Methods = slices.Clone(r.Methods)
	from, to := &a.files[y.from], &a.files[y.to]
	r.Source, r.Destination = a.end(y.from), a.end(y.to)
	slices.SortStableFunc(r.Calls, func(x, y Call) int { return cmp.Compare(x.Frame, y.Frame) })

	all := Range{0, ^uint64(0)}
	whole := y.origin && (to.fresh || !from.hasSize)
	if from.hasSize {
		all.End = from.size
	}
	r.Covered = y.covered.Cut(all)
	switch {
	case y.Bytes == 0 && len(y.zero) == 0:
		r.Verdict = Failed
	case !from.hasSize:
		r.Verdict, r.Uncertain = Unknown, "the capture does not show how long the source is"
	case whole || y.covered.Overlap(all) == all.Len():
		known := append(slices.Clone(y.covered), y.zero...)
		var have Ranges
		for _, z := range known {
			have.Add(z)
		}
		r.Gaps = have.Gaps(all)
		r.Verdict = Complete
		if len(r.Gaps) > 0 {
			r.Verdict = Partial
		}
	default: // a range of the file
		r.Verdict = Complete
		for _, z := range y.asked.Cut(all) {
			r.Gaps = append(r.Gaps, y.covered.Gaps(z)...)
		}
		if len(r.Gaps) > 0 {
			r.Verdict = Partial
		}
	}
	return r
}

// mainMethod returns the method of most bytes; of none, the last one tried.
func (r *Copy) mainMethod(y *copyState) Method {
	best := Method(0)
	for m := range y.bytes {
		if y.bytes[m] > y.bytes[best] {
			best = Method(m)
		}
	}
	if y.bytes[best] == 0 && len(y.Methods) > 0 {
		return y.Methods[len(y.Methods)-1]
	}
	return best
}

// end describes one end of a copy.
func (a *Analyzer) end(i uint32) End {
	f := &a.files[i]
	return End{
		Server: a.servers[f.server].name, Share: a.names[f.share], Path: a.names[f.name],
		Size: f.size, HasSize: f.hasSize, Frame: int(f.openFrame),
	}
}
