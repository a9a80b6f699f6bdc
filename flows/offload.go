package flows

// Offload calls: tokens minted and spent.

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/odxray/odxray/dissect/odx"
)

// tokenKey stands for the 512 bytes of a token: their SHA-256.
type tokenKey [sha256.Size]byte

func keyOfToken(raw []byte) tokenKey { return sha256.Sum256(raw) }

// mint is a token that was issued and may be spent.
type mint struct {
	Mint
	key      tokenKey
	server   uint32
	session  uint32
	file     uint32
	call     Call // the read, for the story of the copy that it turns out to belong to
	consumed Ranges
	again    uint64 // bytes consumed more than once
	past     bool   // consumed beyond its end
	copy     *copyState
}

// allZero is the flag OFFLOAD_READ_FLAG_ALL_ZERO_BEYOND_CURRENT_RANGE. [MS-FSCC] 2.3.42
const allZero = 1

// offloadRead takes an answered FSCTL_OFFLOAD_READ.
func (a *Analyzer) offloadRead(c *conn, e *exchange, w *waitingCall, k Call, output any) {
	out, ok := output.(*odx.ReadReply)
	if !ok || failed(k.Status) || len(out.Token.Raw) == 0 {
		a.refusedRead(e, k)
		return
	}
	t := &a.copies
	k.Moved = out.TransferLength
	m := &mint{
		key: keyOfToken(out.Token.Raw), server: a.serverOf(c), session: e.session, file: a.fileOf(e.open),
		Mint: Mint{
			Type: uint32(out.Token.Type), Server: a.servers[a.serverOf(c)].name, Frame: k.Answer, Time: k.Time + k.Took,
			Offset: w.offset, Asked: w.length, Length: out.TransferLength, TTL: w.ttl, AllZero: out.Flags&allZero != 0,
		},
	}
	if m.file != 0 {
		m.Source = a.names[a.files[m.file].name]
	}
	id := hex.EncodeToString(m.key[:4])
	t.idCount[id]++
	if m.ID = id; t.idCount[id] > 1 {
		m.ID = fmt.Sprintf("%s-%d", id, t.idCount[id])
	}
	if len(t.mints) < maxTokens {
		m.Token = bytes.Clone(out.Token.Raw)
	}
	k.Mint = m.ID
	m.call = k
	t.mints = append(t.mints, m)
	t.byToken[m.key] = append(t.byToken[m.key], m)
}

// refusedRead keeps an OFFLOAD_READ that brought no token, for the copy that goes on
// from its source.
func (a *Analyzer) refusedRead(e *exchange, k Call) {
	f := a.fileOf(e.open)
	if f == 0 {
		return
	}
	a.copies.refused[f] = append(a.copies.refused[f], k)
}

// minted returns the mint that a token presented to a server belongs to: the newest
// of the same bytes on that server, else on any; nil if none is in the capture.
func (t *copyTable) minted(key tokenKey, server uint32) *mint {
	list := t.byToken[key]
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].server == server {
			return list[i]
		}
	}
	if len(list) > 0 {
		return list[len(list)-1]
	}
	return nil
}

// offloadWrite takes an answered FSCTL_OFFLOAD_WRITE.
func (a *Analyzer) offloadWrite(c *conn, e *exchange, w *waitingCall, k Call, output any) {
	t := &a.copies
	to := a.fileOf(e.open)
	if out, ok := output.(*odx.WriteReply); ok && !failed(k.Status) {
		k.Moved = out.LengthWritten
	}
	m := t.minted(w.token, a.serverOf(c))
	from := uint32(0)
	if m != nil {
		from, k.Mint = m.file, m.ID
	}
	if w.kind == odx.ZeroData {
		from = a.zeroSource(c, to, m)
	}
	y := a.copyOf(c, e, from, to, &k)
	if m != nil && m.copy == nil {
		m.copy = y
		m.Copy = y.ID
		y.Mints++
		y.Reads++
		y.add(m.call)
	}
	y.Writes++
	y.add(k)
	y.asked.Add(span(k.Offset, k.Asked))
	source := w.inToken
	if m != nil {
		source += m.Offset
	}
	y.moved(ODX, source, k.Offset, k.Moved)
	if m == nil {
		return
	}
	if m.AllZero && a.files[from].hasSize {
		y.zero.Add(Range{m.Offset + m.Length, a.files[from].size})
	}
	m.Uses = append(m.Uses, Use{
		Frame: k.Frame, Response: k.Answer, Time: k.Time, Took: k.Took, Destination: a.names[a.files[to].name],
		FileOffset: k.Offset, TokenOffset: w.inToken, Asked: k.Asked, Written: k.Moved, Status: k.Status, Copy: y.ID, Repeats: k.Repeats,
	})
	if !failed(k.Status) {
		r := span(w.inToken, k.Moved)
		m.again += m.consumed.Add(r)
		m.past = m.past || r.End > m.Length
	}
}

// zeroSource returns the source of a copy that writes a zero token: that of the mint
// if it was minted, else that of the copy going on into the same file.
func (a *Analyzer) zeroSource(c *conn, to uint32, m *mint) uint32 {
	if m != nil {
		return m.file
	}
	client := a.clientOf(c)
	for i := len(a.copies.list) - 1; i >= 0; i-- {
		if y := a.copies.list[i]; y.to == to && a.copies.byKey[copyKey{client, y.from, to}] == y {
			return y.from
		}
	}
	return 0
}

// result returns what is known of the mint.
func (m *mint) result() Mint {
	r := m.Mint
	r.Consumed = m.consumed.Cut(Range{0, ^uint64(0)})
	n := m.consumed.Len()
	switch {
	case m.past || m.again > 0:
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
