package flows

// Copies by SRV_COPYCHUNK and DUPLICATE_EXTENTS.

import (
	"github.com/odxray/odxray/dissect/fscc"
)

// copyChunk takes an answered FSCTL_SRV_COPYCHUNK or _WRITE. [MS-SMB2] 2.2.31.1, 2.2.32.1
func (a *Analyzer) copyChunk(c *conn, e *exchange, w *waitingCall, k Call, output any) {
	from := a.copies.keys[resumeKey{a.serverOf(c), w.key}]
	to := a.fileOf(e.open)
	if len(w.chunks) > 0 {
		k.Offset = w.chunks[0].Target
	}
	for _, x := range w.chunks {
		k.Asked += uint64(x.Length)
	}
	// A refusal that brings three numbers gives limits, not counts: it has a type of
	// its own.
	left := uint64(0)
	if out, ok := output.(*fscc.CopyChunkReply); ok {
		left = uint64(out.TotalBytes)
	}
	k.Moved = left
	y := a.copyOf(c, e, from, to, &k)
	y.Writes++
	y.add(k)
	for _, x := range w.chunks {
		n := min(left, uint64(x.Length))
		left -= n
		y.asked.Add(span(x.Target, uint64(x.Length)))
		y.moved(CopyChunk, x.Source, x.Target, n)
	}
}

// duplicateExtents takes an answered FSCTL_DUPLICATE_EXTENTS_TO_FILE. [MS-FSCC] 2.3.7
func (a *Analyzer) duplicateExtents(c *conn, e *exchange, w *waitingCall, k Call) {
	from := a.fileOf(a.openOf(e.session, e.tree, w.source))
	to := a.fileOf(e.open)
	if !failed(k.Status) {
		k.Moved = w.length
	}
	y := a.copyOf(c, e, from, to, &k)
	y.Writes++
	y.add(k)
	y.asked.Add(span(w.offset, w.length))
	y.moved(DuplicateExtents, w.inToken, w.offset, k.Moved)
}
