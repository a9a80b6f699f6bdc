package replay

// Bytes that nobody captured: those that stand in for what the capture lacks, and those
// that prepared files are filled with. They are not compared, nor what is copied of them.

import (
	"strings"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/flows"
)

// maxTaint bounds the ranges of one file.
const maxTaint = 1 << 12

// taint notes a range of a file that holds made up bytes.
func (r *run) taint(path string, g flows.Range) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if k := strings.ToLower(path); g.Start < g.End && len(r.tainted[k]) < maxTaint {
		r.tainted[k] = append(r.tainted[k], g)
	}
}

func (r *run) taintOf(path string) []flows.Range {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.tainted[strings.ToLower(path)]
}

// written takes back what is said of a range, as it was written with captured bytes.
func (r *run) written(path string, g flows.Range) {
	r.mu.Lock()
	defer r.mu.Unlock()
	k := strings.ToLower(path)
	if len(r.tainted[k]) > 0 {
		r.tainted[k] = without(r.tainted[k], g)
	}
}

// without returns ranges without the bytes of g.
func without(list []flows.Range, g flows.Range) (rest []flows.Range) {
	for _, t := range list {
		if before := (flows.Range{Start: t.Start, End: min(t.End, g.Start)}); before.Start < before.End {
			rest = append(rest, before)
		}
		if after := (flows.Range{Start: max(t.Start, g.End), End: t.End}); after.Start < after.End {
			rest = append(rest, after)
		}
	}
	return rest
}

// madeUp notes what prepared files hold that the capture does not show.
func (r *run) madeUp(list []*Entry) {
	for _, e := range list {
		if e.Directory || e.Size == 0 {
			continue
		}
		rest := []flows.Range{{End: e.Size}}
		for _, k := range e.Known {
			rest = without(rest, flows.Range{Start: k.Offset, End: k.Offset + uint64(len(k.Data))})
		}
		for _, g := range rest {
			r.taint(e.Path, g)
		}
	}
}

// passOn has a destination hold made up bytes where its source may, and captured ones
// where they were written.
func (r *run) passOn(s *Step) {
	x := &s.Exchange
	if !x.HasRange || x.Length == 0 {
		return
	}
	g := flows.Range{Start: x.Offset, End: x.Offset + x.Length}
	switch {
	case s.Header.Command == smb2.Write && s.Size == len(s.Request) && r.lacks(s) == 0:
		r.written(x.File, g)
	case s.Header.Command != smb2.Ioctl:
	case x.Function == fscc.CopyChunk, x.Function == fscc.CopyChunkWrite, x.Function == fscc.OffloadWrite,
		x.Function == fscc.DuplicateExtents, x.Function == fscc.DuplicateExtentsEx:
		for _, u := range s.Uses {
			from := &r.plan.Slots[u.Slot]
			if from.Path != "" && from.Path != x.File && len(r.taintOf(from.Path)) > 0 {
				r.taint(x.File, g)
				return
			}
		}
	}
}

// mask returns b, which begins at off of a file, with the bytes in t as zeros.
func mask(b []byte, off uint64, t flows.Range) []byte {
	b = append([]byte(nil), b...)
	from, upto := min(max(t.Start, off)-off, uint64(len(b))), min(max(t.End, off)-off, uint64(len(b)))
	clear(b[from:max(from, upto)])
	return b
}
