package flows

// Offload calls: tokens minted and spent.

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/odxray/odxray/dissect/odx"
	"github.com/odxray/odxray/dissect/smb2"
)

// tokenKey stands for the 512 bytes of a token: their SHA-256.
type tokenKey [sha256.Size]byte

// keyOf returns the key of a token, which is mostly the one that was presented before.
func (t *tokenTable) keyOf(raw []byte) tokenKey {
	if !bytes.Equal(raw, t.asked) {
		t.asked, t.answered = append(t.asked[:0], raw...), sha256.Sum256(raw)
	}
	return t.answered
}

const (
	maxMints = 1 << 15 // mints kept before those that nothing can be said about are dropped
	maxUses  = 1 << 10 // uses kept of one mint; past it, only those that are not ordinary
	allUses  = 1 << 17 // uses kept of all
)

// tokenTable is every mint.
type tokenTable struct {
	asked    []byte // the token that keyOf was asked for last
	answered tokenKey

	list    []*mint
	limit   int                 // of list, before some are dropped
	raws    int                 // mints whose 512 bytes are kept
	uses    int                 // kept in all
	byToken map[tokenKey]*mint  // the newest of its bytes
	ids     map[uint32]uint32   // mints by the first four bytes of their key
	dropped map[uint64]struct{} // first eight bytes of the keys of mints that were dropped
}

func (t *tokenTable) init() {
	t.byToken, t.ids, t.dropped = make(map[tokenKey]*mint), make(map[uint32]uint32), make(map[uint64]struct{})
	t.limit = maxMints
}

// mint is a token that was issued and may be spent.
type mint struct {
	Mint
	key      tokenKey
	server   uint32
	file     uint32
	tree     uint32
	call     *Call // the read, until the copy is known that it belongs to
	before   *mint // of the same bytes
	consumed Ranges
	again    uint64 // bytes consumed more than once
	past     bool   // consumed beyond its end
	sized    bool   // Below is final: the source's size is known
	accepted int    // uses
	lastUse  int64  // when the latest accepted use was answered; 0 if none
	odd      bool   // something could be said about it
	copy     *copyState
	spare    bool // it was not presented to the copy, which went on without
}

// offloadRead takes an answered FSCTL_OFFLOAD_READ.
func (a *Analyzer) offloadRead(c *conn, e *exchange, w *waitingCall, from uint32, output smb2.Buffer) {
	w.SourceEnd, w.HasSourceEnd = w.End, w.HasEnd
	out, ok := output.(*odx.ReadReply)
	if ok && w.Accepted() {
		w.Moved, w.AnswerSize, w.AllZero = out.TransferLength, out.Size, out.Flags&odx.AllZeroBeyond != 0
	}
	a.stalled(c, &w.Call, from, 0)
	if from != 0 {
		client := a.clientOf(c)
		for _, y := range a.bytesOf(from).outOf {
			if y.client == client {
				y.minted(&w.Call)
			}
		}
	}
	if w.Accepted() && w.Cut { // whose token that is which the capture lacks, nobody knows
		a.orphan(c, 0, w.Call)
		return
	}
	if !ok || !w.Accepted() || len(out.Token.Raw) == 0 {
		a.orphan(c, from, w.Call)
		return
	}
	m := a.mint(c, e, w, from, out)
	w.Mint = m.ID
	if m.Length == 0 {
		a.orphan(c, from, w.Call) // nobody will present it
		return
	}
	call := w.Call
	m.call = &call
}

// mint keeps a token that was issued.
func (a *Analyzer) mint(c *conn, e *exchange, w *waitingCall, from uint32, out *odx.ReadReply) *mint {
	t := &a.copies.tokens
	s := &a.sessions[e.session]
	m := &mint{
		key: a.copies.tokens.keyOf(out.Token.Raw), server: a.serverOf(c), file: from, tree: e.tree,
		Mint: Mint{
			Type: uint32(out.Token.Type), Server: a.servers[a.serverOf(c)].name, Frame: w.Answer, Time: w.Time + w.Took,
			Offset: w.Offset, Asked: w.Asked, Length: out.TransferLength, Below: out.TransferLength, TTL: w.ttl, AllZero: w.AllZero,
			Request: w.Frame, Client: a.clientOf(c), Host: int(a.serverOf(c)), Conn: w.Conn, Session: int(a.root(e.session)), SessionID: s.id, File: int(from),
			IDLength: out.Token.IDLength, Reserved: binary.BigEndian.Uint16(out.Token.Raw[4:]),
			HasID: len(bytes.Trim(out.Token.Raw[8:], "\x00")) > 0,
		},
	}
	m.odd = w.AnswerSize != readReplySize || w.Damaged || !w.ordinary() || m.IDLength > 504
	if from != 0 {
		f := &a.files[from]
		m.Source = a.names[f.name]
		if f.hasSize {
			m.cut(f.size)
		}
		b := a.bytesOf(from)
		b.watched = true
		if len(b.mints) >= maxRecent {
			b.mints = slices.Delete(b.mints, 0, 1)
		}
		b.mints = append(b.mints, m)
		if m.IsZero() {
			b.zero.Add(span(m.Offset, m.Length))
		}
		if m.AllZero {
			b.zero.Add(Range{span(m.Offset, m.Length).End, ^uint64(0)})
		}
	}
	prefix := binary.BigEndian.Uint32(m.key[:])
	t.ids[prefix]++
	if m.ID = hex.EncodeToString(m.key[:4]); t.ids[prefix] > 1 {
		m.ID = fmt.Sprintf("%s-%d", m.ID, t.ids[prefix])
	}
	if t.raws < maxTokens {
		t.raws++
		m.Token = bytes.Clone(out.Token.Raw)
	}
	if !m.IsZero() { // all of them are the same, and it does not matter whose they are
		m.before = t.byToken[m.key]
	}
	t.byToken[m.key] = m
	t.list = append(t.list, m)
	if len(t.list) > t.limit {
		t.drop()
	}
	return m
}

// readReplySize is the size of the answer's structure in bytes. [MS-FSCC] 2.3.42
const readReplySize = 528

// cut notes that the source ends at n.
func (m *mint) cut(n uint64) {
	m.sized = true
	m.Below = min(m.Below, max(n, m.Offset)-m.Offset)
}

// drop forgets mints that are used up and that nothing can be said about.
func (t *tokenTable) drop() {
	n := len(t.list)
	t.list = slices.DeleteFunc(t.list, func(m *mint) bool {
		if m.IsZero() && t.byToken[m.key] != m && m.Reserved == 0 && !m.HasID {
			t.uses -= len(m.Uses)
			return true
		}
		if m.odd || m.copy == nil || m.before != nil || m.past || m.again > 0 || m.consumed.Len() < m.Length || t.byToken[m.key] != m {
			return false
		}
		t.dropped[binary.BigEndian.Uint64(m.key[:])] = struct{}{}
		t.uses -= len(m.Uses)
		delete(t.byToken, m.key)
		return true
	})
	if len(t.list) > n/2 {
		t.limit += t.limit / 2 // or the next mint would look through all of them again
	}
}

// minted returns the mint that a token presented to a server belongs to: the newest
// of the same bytes on that server, else on any; nil if none is in the capture.
func (t *tokenTable) minted(key tokenKey, server uint32) *mint {
	newest := t.byToken[key]
	for m := newest; m != nil; m = m.before {
		if m.server == server {
			return m
		}
	}
	return newest
}

// nearest returns the mint on a server whose bytes differ in the fewest from raw, and
// in how many.
func (t *tokenTable) nearest(raw []byte, server uint32) (best *mint, differs int) {
	differs = len(raw) + 1
	for _, m := range slices.Backward(t.list) {
		if m.server != server || len(m.Token) != len(raw) {
			continue
		}
		n := 0
		for i := 0; i < len(raw) && n < differs; i++ {
			if raw[i] != m.Token[i] {
				n++
			}
		}
		if n < differs {
			best, differs = m, n
		}
	}
	return best, differs
}

// offloadWrite takes an answered FSCTL_OFFLOAD_WRITE.
func (a *Analyzer) offloadWrite(c *conn, e *exchange, w *waitingCall, to uint32, output smb2.Buffer) {
	t := &a.copies
	k := &w.Call
	if out, ok := output.(*odx.WriteReply); ok && k.Accepted() {
		k.Moved, k.AnswerSize = out.LengthWritten, out.Size
	}
	var m *mint
	from, source := uint32(0), k.From
	if len(w.raw) > 0 {
		m = t.tokens.minted(w.token, a.serverOf(c))
	}
	switch {
	case k.TokenType == zeroData:
		source = k.Offset // zeros come from where they go
		if from = a.going(c, to); from != 0 {
			m = a.zeroOf(from)
		} else if m != nil {
			from = m.file
		}
	case m != nil:
		from, source = m.file, k.From+m.Offset
	case len(w.raw) > 0:
		_, k.Forgotten = t.tokens.dropped[binary.BigEndian.Uint64(w.token[:])]
		near, n := t.tokens.nearest(w.raw, a.serverOf(c))
		if near != nil && k.Refused() {
			k.Nearest, k.Differs = near.ID, n
		}
		switch {
		case k.Altered(): // it was that one before somebody changed it
			from, source = near.file, k.From+near.Offset
		case !k.Accepted():
			from = a.going(c, to) // no bytes came from anywhere: it is part of what goes on
		}
	}
	if m != nil {
		k.Mint = m.ID
	}
	if from != 0 && k.TokenType != zeroData {
		k.SourceEnd, k.HasSourceEnd = a.files[from].size, a.files[from].hasSize
	}
	a.stalled(c, k, to, from)
	if to == 0 || len(w.raw) == 0 {
		a.orphan(c, 0, *k)
		if m != nil {
			a.used(c, e, w, m, nil)
		}
		return
	}
	y := a.copyOf(c, e, from, to, k)
	if m != nil && (m.copy == nil || m.spare) {
		a.attach(m, y)
	}
	y.Writes++
	if k.Refused() {
		y.refusedWrite = k.Frame
		if m == nil && k.TokenType != zeroData {
			t.strange[y.client] = y
		}
	}
	placed := from != 0 && k.Asked > 0 && (m != nil || k.Altered() || k.TokenType == zeroData)
	if k.Asked > 0 && k.HasEnd && k.Offset >= k.End && len(y.Unsized) < maxKept {
		y.Unsized = append(y.Unsized, k.Frame)
	}
	if m != nil {
		a.used(c, e, w, m, y)
	}
	if k.Accepted() || from != 0 || k.TokenType == zeroData {
		y.asked.Add(span(k.Offset, k.Asked))
		y.follow(span(k.Offset, k.Asked), k.Frame)
	}
	y.add(a, *k)
	y.moved(ODX, k, source, k.Offset, k.Moved, placed)
	if k.Accepted() && !k.Cut && k.Moved < k.Asked && len(y.shorts) < maxKept && !a.copies.underWay(a, e, from, to) {
		stop := k.Offset + k.Moved
		y.shorts = append(y.shorts, short{Resume{Short: k.Frame, At: stop, Left: span(stop, k.Asked-k.Moved)}, k.Answer, source + k.Moved})
	}
	if m != nil && m.AllZero && a.files[from].hasSize {
		y.zero.Add(Range{m.Offset + m.Length, a.files[from].size})
	}
	if k.Moved > 0 {
		a.bytesOf(to)
		a.altered(to, e, span(k.Offset, k.Moved), k.TokenType == zeroData)
	}
}

// underWay reports whether another call of the same copy waits for its answer.
func (t *copyTable) underWay(a *Analyzer, e *exchange, from, to uint32) bool {
	for x, w := range t.waiting {
		if w.session != e.session {
			continue
		}
		if i := a.target(a.exchanges.at(x)); i == 0 || i == from || i == to {
			return true
		}
	}
	return false
}

// attach makes a mint part of a copy.
func (a *Analyzer) attach(m *mint, y *copyState) {
	m.copy, m.spare = y, false
	y.Mints++
	if m.call != nil {
		y.add(a, *m.call)
		m.call = nil
	}
	if m.judged() {
		y.Tokens++
		if m.Length < m.Asked/churn {
			y.SmallMints++
		}
	}
}

// leaveSpare makes the tokens that a client had for a source, and has not presented,
// part of the copy that it begins by another method.
func (a *Analyzer) leaveSpare(y *copyState, before int) {
	for _, m := range a.bytesOf(y.from).mints {
		if m.copy == nil && m.Client == y.client && m.Frame < before {
			a.attach(m, y)
			m.spare = true
		}
	}
}

// churn is how much less than asked for is a small part.
const churn = 8

// judged reports whether the token stands for bytes of its own.
func (m *mint) judged() bool { return m.Type != zeroData && m.Length > 0 }

// used keeps that a token was presented.
func (a *Analyzer) used(c *conn, e *exchange, w *waitingCall, m *mint, y *copyState) {
	k := &w.Call
	t := &a.copies.tokens
	u := Use{
		Frame: k.Frame, Response: k.Answer, Time: k.Time, Took: k.Took, Destination: k.File, FileOffset: k.Offset,
		TokenOffset: k.From, Asked: k.Asked, Written: k.Moved, Status: k.Status, Repeats: k.Repeats, copy: y,
		Host: int32(k.Host), Conn: int32(k.Conn), Session: int32(a.root(e.session)), SessionID: a.sessions[e.session].id,
		Age: max(0, k.Time-max(m.Time, m.lastUse)), Before: int32(m.accepted),
	}
	if m.file != 0 {
		f := &a.files[m.file]
		u.Closed = f.opens == 0
		if f.traffic != nil && len(f.changes) > 0 {
			for _, ch := range f.changes {
				u.changed(m, ch)
			}
		}
	}
	r := span(k.From, k.Moved)
	if k.Accepted() {
		if m.accepted == 0 && k.Moved > 0 && y != nil && m.judged() && k.Moved < k.Asked/churn {
			y.ShortFirsts++
			if y.ShortFrames == nil {
				y.ShortFrames = []int{k.Frame, k.Answer}
			}
		}
		m.accepted++
		m.lastUse = max(m.lastUse, k.Time+k.Took)
		u.Again = m.consumed.Cut(r)
		m.again += m.consumed.Add(r)
		m.past = m.past || r.End > m.Length
	}
	odd := !k.ordinary() || k.AnswerSize != writeReplySize || u.Again != nil || u.Stale != nil || m.past || u.Age > 1e9 ||
		int(u.Host) != m.Host || int(u.Session) != m.Session
	m.odd = m.odd || odd
	if odd || len(m.Uses) < maxUses && t.uses < allUses {
		t.uses++
		if m.Uses == nil && k.Moved > 0 { // uses are large: room for as many as there will be, if all are like this one
			m.Uses = make([]Use, 0, min((max(m.Length, k.Moved)-1)/k.Moved+1, maxUses/16))
		}
		m.Uses = append(m.Uses, u)
	}
}

// writeReplySize is the size of the answer's structure in bytes. [MS-FSCC] 2.3.44
const writeReplySize = 16

// changed notes that a change altered bytes that the use consumed.
func (u *Use) changed(m *mint, ch Change) {
	if ch.begun < m.Time || ch.Frame == u.Frame || u.Response == 0 || ch.begun >= u.Time+u.Took {
		return
	}
	if want := span(m.Offset+u.TokenOffset, u.Asked); ch.Start < want.End && want.Start < ch.End {
		u.Changed = true
	}
	if got := span(m.Offset+u.TokenOffset, u.Written); u.Accepted() && ch.Start < got.End && got.Start < ch.End && len(u.Stale) < maxKept {
		u.Stale = append(u.Stale, ch)
	}
}

// changed takes a change that was answered after uses which it may have come before.
func (m *mint) changed(ch Change) {
	if ch.begun >= m.lastUse {
		return
	}
	for i := len(m.Uses) - 1; i >= 0 && i >= len(m.Uses)-maxKept; i-- {
		m.Uses[i].changed(m, ch)
		m.odd = m.odd || m.Uses[i].Stale != nil
	}
}

// zeroOf returns the latest token for zeros that was minted of a file; nil if none was.
func (a *Analyzer) zeroOf(file uint32) *mint {
	for _, m := range slices.Backward(a.bytesOf(file).mints) {
		if m.IsZero() {
			return m
		}
	}
	return nil
}

// going returns the source of the copy going on into a file, for a call that does not
// say.
func (a *Analyzer) going(c *conn, to uint32) uint32 {
	if t := a.files[to].traffic; to != 0 && t != nil {
		client := a.clientOf(c)
		for _, y := range slices.Backward(t.into) {
			if y.client == client && y.from != 0 {
				return y.from
			}
		}
	}
	return 0
}

// result returns what is known of the mint.
func (m *mint) result(a *Analyzer) Mint {
	r := m.Mint
	if m.copy != nil {
		r.Copy = m.copy.ID
	}
	if m.tree != 0 {
		r.Sector = a.trees[m.tree].sector
	}
	if f := &a.files[m.file]; !m.sized && m.file != 0 && f.hasSize {
		r.Below = min(r.Below, max(f.size, m.Offset)-m.Offset)
	}
	if len(m.Uses) == 0 {
		m.instead(a, &r)
	}
	if !a.ended {
		r.Uses = slices.Clone(m.Uses)
	}
	for i := range r.Uses {
		u := &r.Uses[i]
		if u.copy != nil {
			u.Copy = int32(u.copy.ID)
		}
	}
	r.Consumed = slices.Clone(m.consumed)
	n := m.consumed.Len()
	switch {
	case m.past: // bytes used twice are no more than there were: token/reused says it
		r.State = OverConsumed
	case n == 0:
		r.State = Unused
	case n < m.Length:
		r.State = PartlyConsumed
	default:
		r.State = Consumed
	}
	return r
}

// instead fills which copy of the source says why a token was not presented: one that
// left offloading, or that had another token refused.
func (m *mint) instead(a *Analyzer, r *Mint) {
	var outOf []*copyState
	if t := a.files[m.file].traffic; m.file != 0 && t != nil {
		outOf = t.outOf
	}
	if y := a.copies.strange[m.Client]; y != nil {
		outOf = append(slices.Clone(outOf), y)
	}
	for _, y := range outOf {
		frame := y.refusedWrite
		if y.Slower > 0 {
			frame = max(y.LeftAt, frame)
		}
		if y.client == m.Client && frame != 0 {
			r.Instead, r.InsteadFrame = y.ID, frame
			return
		}
	}
}
