package flows

// Copies by SRV_COPYCHUNK and DUPLICATE_EXTENTS.

import (
	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/smb2"
)

// copyChunk takes an answered FSCTL_SRV_COPYCHUNK or _WRITE. [MS-SMB2] 2.2.31.1, 2.2.32.1
func (a *Analyzer) copyChunk(c *conn, e *exchange, w *waitingCall, to uint32, output smb2.Buffer) {
	k := &w.Call
	from, known := a.sourceOf(c, w.key)
	k.KeyKnown = known || a.copies.lost
	// A refusal that brings three numbers gives limits, not counts: it has a type of
	// its own.
	left := uint64(0)
	switch out := output.(type) {
	case *fscc.CopyChunkReply:
		left = uint64(out.TotalBytes)
	case *fscc.CopyChunkLimits:
		k.Limits, k.Limited = *out, true
	}
	k.Moved = min(left, k.Asked) // a request without chunks may be answered with limits, too
	if from != 0 {
		k.SourceEnd, k.HasSourceEnd = a.files[from].size, a.files[from].hasSize
	}
	if to == 0 {
		a.orphan(c, 0, *k)
		return
	}
	y := a.copyOf(c, e, from, to, k)
	y.Writes++
	y.add(a, *k)
	a.bytesOf(to)
	for _, x := range w.chunks {
		n := min(left, uint64(x.Length))
		left -= n
		y.asked.Add(span(x.Target, uint64(x.Length)))
		y.follow(span(x.Target, uint64(x.Length)), k.Frame)
		y.moved(CopyChunk, k, x.Source, x.Target, n, from != 0)
		if n == 0 {
			continue
		}
		a.altered(to, e, span(x.Target, n), false)
		if f := &a.files[to]; f.hasSize {
			f.size = max(f.size, x.Target+n)
		}
	}
}

// sourceOf returns the file that a resume key stands for.
func (a *Analyzer) sourceOf(c *conn, key fscc.ResumeKey) (file uint32, known bool) {
	if i, ok := a.copies.keys[resumeKey{a.serverOf(c), key}]; ok {
		return i, true
	}
	for s := range a.servers {
		if _, ok := a.copies.keys[resumeKey{uint32(s), key}]; ok {
			return 0, true // of another server: nothing that this one could copy from
		}
	}
	return 0, false
}

// duplicateExtents takes an answered FSCTL_DUPLICATE_EXTENTS_TO_FILE. [MS-FSCC] 2.3.7
func (a *Analyzer) duplicateExtents(c *conn, e *exchange, w *waitingCall, to uint32) {
	k := &w.Call
	from := a.fileOf(a.openOf(e.session, e.tree, w.source))
	if k.Accepted() {
		k.Moved = k.Asked
	}
	if from != 0 {
		k.SourceEnd, k.HasSourceEnd = a.files[from].size, a.files[from].hasSize
	}
	if to == 0 {
		a.orphan(c, 0, *k)
		return
	}
	y := a.copyOf(c, e, from, to, k)
	y.Writes++
	y.asked.Add(span(k.Offset, k.Asked))
	y.follow(span(k.Offset, k.Asked), k.Frame)
	y.add(a, *k)
	y.moved(DuplicateExtents, k, k.From, k.Offset, k.Moved, from != 0)
	if k.Moved > 0 {
		a.bytesOf(to)
		a.altered(to, e, span(k.Offset, k.Moved), false)
	}
}
