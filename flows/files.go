package flows

// Files as copies see them: what opens of one path on one server have in common.

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/smb2"
)

// file is one file on one server. An open whose path is unknown has a file of its own.
type file struct {
	server    uint32
	share     uint32 // index of the share's name; 0 if unknown
	volume    uint32 // the same for all names that a share has
	name      uint32 // 0 if unknown
	size      uint64 // last known end of file; valid iff hasSize
	hasSize   bool
	presized  bool   // a client set its end of file
	sparse    bool   // it is a sparse file
	described bool   // the capture shows its attributes
	sized     uint64 // end of file that a client set; valid iff presized
	reserved  uint64 // allocation that a client asked for when it created it; 0 if none
	openFrame uint32 // of the CREATE response of its first open
	opens     int    // that are open
	life      uint32 // how often it began as an empty file in the capture
	round     uint32 // of tidying, in which it was last opened or closed
	*traffic         // what happened to its bytes; nil as long as nobody asks
}

// traffic is what the capture shows of a file's bytes.
type traffic struct {
	written Ranges // by anything, since it began as an empty file
	blurred bool   // too scattered: written is not kept any more
	zero    Ranges // known to read as zeros
	listed  Ranges // known to be allocated
	watched bool   // tokens or copies were made of it: changes are kept
	changes []Change
	mints   []*mint      // of it, the latest
	pairs   []*pair      // plain copies into it
	into    []*copyState // copies into it that may go on
	outOf   []*copyState
}

const (
	maxScatter = 1 << 12 // ranges kept of what was written to a file
	maxChanges = 1 << 10 // changes kept of one file
	maxRecent  = 64      // mints of one file that changes are compared with
)

type fileKey struct{ server, volume, name uint32 }

// bytesOf returns the traffic of a file, from now on kept.
func (a *Analyzer) bytesOf(i uint32) *traffic {
	f := &a.files[i]
	if f.traffic == nil {
		f.traffic = new(traffic)
	}
	return f.traffic
}

// fileOf returns the file of an open.
func (a *Analyzer) fileOf(open uint32) uint32 {
	if open == 0 {
		return 0
	}
	o := &a.opens[open]
	if o.file != 0 {
		return o.file
	}
	f := file{name: o.name, openFrame: o.openFrame, opens: 1, round: a.litter.rounds}
	if o.session != 0 {
		f.server = a.sessions[o.session].server
	}
	if o.tree != 0 {
		f.share, f.volume = a.internBytes([]byte(a.trees[o.tree].share)), a.volumeOf(o.tree)
	}
	k := fileKey{f.server, f.volume, a.folded(f.name)}
	if f.name != 0 {
		if i, ok := a.fileByKey[k]; ok {
			o.file = i
			a.files[i].opens++
			a.files[i].round = a.litter.rounds
			return i
		}
	}
	o.file = place(&a.litter.freeFiles, len(a.files), func() { a.files = append(a.files, file{}) })
	if f.name != 0 {
		a.fileByKey[k] = o.file
	}
	a.litter.made++
	a.files[o.file] = f
	return o.file
}

// folded returns the name that stands for all that differ from it in case only: they
// are one file, as servers have it. [MS-FSA] 2.1.5.1
func (a *Analyzer) folded(name uint32) uint32 {
	a.nameBuf = a.nameBuf[:0]
	for _, r := range a.names[name] {
		a.nameBuf = utf8.AppendRune(a.nameBuf, unicode.ToLower(r))
	}
	return a.internBytes(a.nameBuf)
}

// volumeOf returns what stands for the share of a tree on its server: its name without
// that of the server, which may have several.
func (a *Analyzer) volumeOf(tree uint32) uint32 {
	t := &a.trees[tree]
	if t.volume == 0 && t.share != "" {
		leaf := t.share[strings.LastIndexByte(t.share, '\\')+1:]
		t.volume = a.internBytes([]byte(strings.ToLower(leaf)))
	}
	return t.volume
}

// target returns the file that a request is on: if nobody has answered the CREATE
// before it in its compound, the one of that name.
func (a *Analyzer) target(e *exchange) uint32 {
	if e.open != 0 {
		return a.fileOf(e.open)
	}
	for p := e; p.before != 0; {
		p = a.exchanges.at(p.before)
		if p.command == smb2.Create && p.session != 0 && p.tree != 0 {
			return a.fileByKey[fileKey{a.sessions[p.session].server, a.volumeOf(p.tree), a.folded(p.name)}]
		}
	}
	return 0
}

// Create actions. [MS-SMB2] 2.2.14
const (
	actionSuperseded  = 0
	actionCreated     = 2
	actionOverwritten = 3
)

// observe keeps what an answered request says of a file's size and bytes.
func (a *Analyzer) observe(e *exchange, m *smb2.Message) {
	if e.open == 0 {
		return
	}
	size := func(n uint64) {
		f := &a.files[a.fileOf(e.open)]
		f.size, f.hasSize = n, true
	}
	switch b := m.Body.(type) {
	case *smb2.CreateResponse:
		if b.Attributes&fscc.AttributeDirectory == 0 {
			a.created(e, b)
		}
	case *smb2.CloseResponse:
		if b.Flags&1 != 0 && m.Status == ntstatus.Success { // POSTQUERY_ATTRIB
			size(b.EndOfFile)
		}
		if m.Status == ntstatus.Success {
			a.left(a.fileOf(e.open))
		}
	case *smb2.QueryInfoResponse:
		switch in := b.Info.(type) {
		case *fscc.StandardInfo:
			size(in.EndOfFile)
		case *fscc.AllInfo:
			size(in.EndOfFile)
		case *fscc.NetworkOpenInfo:
			size(in.EndOfFile)
		case *fscc.FsSectorSizeInfo:
			a.sector(e, in.Logical, 0)
		case *fscc.FsFullSizeInfo:
			a.sector(e, in.BytesPerSector, in.SectorsPerUnit)
		case *fscc.FsSizeInfo:
			a.sector(e, in.BytesPerSector, in.SectorsPerUnit)
		}
	case *smb2.SetInfoResponse:
		switch {
		case e.facts&setsSize != 0:
			a.resized(a.fileOf(e.open), e, e.length)
			f := &a.files[a.fileOf(e.open)]
			f.presized, f.sized = true, e.length
		case e.facts&setsAllocation != 0:
			// Less than the end of file cuts the file there. [MS-FSA] 2.1.5.15.1
			if f := &a.files[a.fileOf(e.open)]; f.hasSize && e.length < f.size {
				a.resized(a.fileOf(e.open), e, e.length)
			}
		case e.infoClass == uint8(fscc.FileRename) && e.infoType == 1 && e.host != 0:
			a.renamed(a.fileOf(e.open), e.host)
		}
	case *smb2.ReadResponse:
		a.read(e, b)
	case *smb2.WriteResponse:
		a.wrote(e)
	case *smb2.IoctlResponse:
		if !failed(m.Status) {
			a.controlled(e, m.Status, b)
		}
	}
}

// created keeps what the answer of a CREATE says.
func (a *Analyzer) created(e *exchange, b *smb2.CreateResponse) {
	i := a.fileOf(e.open)
	f := &a.files[i]
	if f.openFrame == 0 {
		f.openFrame = a.frame
	}
	f.described, f.sparse = true, b.Attributes&fscc.AttributeSparse != 0
	switch b.Action {
	case actionSuperseded, actionCreated, actionOverwritten:
		a.anew(i, e)
		f.presized, f.reserved = false, e.length
	}
	f.size, f.hasSize = b.EndOfFile, true
	a.leased(e, i, b)
}

// anew makes a file one that has held nothing yet.
func (a *Analyzer) anew(i uint32, e *exchange) {
	f := &a.files[i]
	if f.traffic != nil {
		a.settle(i)
		a.change(i, e, Range{0, ^uint64(0)})
		f.written, f.zero, f.listed, f.blurred, f.pairs = nil, nil, nil, false, nil
	}
	f.life++
}

// left ends an open: with the last one, the copies into the file stand as they are,
// until one goes on.
func (a *Analyzer) left(i uint32) {
	f := &a.files[i]
	if f.opens = max(0, f.opens-1); f.opens > 0 || f.traffic == nil {
		return
	}
	for _, y := range f.into {
		y.freeze(a)
	}
}

// resized takes a new end of file.
func (a *Analyzer) resized(i uint32, e *exchange, n uint64) {
	f := &a.files[i]
	if n == 0 {
		a.anew(i, e)
	}
	old, known := f.size, f.hasSize
	f.size, f.hasSize = n, true
	if n == 0 {
		return
	}
	if f.traffic == nil {
		return
	}
	switch {
	case known && n > old:
		f.zero.Add(Range{old, n})
	case known && n < old:
		gone := Range{n, ^uint64(0)}
		f.written.Remove(gone)
		f.zero.Remove(gone)
		f.listed.Remove(gone)
		a.change(i, e, gone)
		for _, m := range f.mints {
			m.cut(n)
		}
	}
}

// renamed gives a file another path. What is printed keeps the one that its copies
// were made under.
func (a *Analyzer) renamed(i uint32, name uint32) {
	f := &a.files[i]
	if k := (fileKey{f.server, f.volume, a.folded(f.name)}); a.fileByKey[k] == i {
		delete(a.fileByKey, k)
	}
	a.fileByKey[fileKey{f.server, f.volume, a.folded(name)}] = i
}

// wrote takes an answered WRITE.
func (a *Analyzer) wrote(e *exchange) {
	i := a.fileOf(e.open)
	f := &a.files[i]
	r := span(e.offset, e.moved)
	if f.traffic != nil || f.life > 0 {
		a.bytesOf(i)
		a.plainWrite(i, e, r)
		if f.hasSize && r.Start > f.size {
			f.zero.Add(Range{f.size, r.Start})
		}
		a.altered(i, e, r, false)
	}
	if f.hasSize {
		f.size = max(f.size, r.End)
	}
}

// controlled keeps what other control codes do to a file, or show of it.
func (a *Analyzer) controlled(e *exchange, s ntstatus.Status, b *smb2.IoctlResponse) {
	switch e.function {
	case fscc.SetSparse:
		f := &a.files[a.fileOf(e.open)]
		f.described, f.sparse = true, e.length == 0
	case fscc.SetZeroData:
		i := a.fileOf(e.open)
		a.bytesOf(i)
		a.altered(i, e, span(e.offset, e.length), true)
	case fscc.FileLevelTrim:
		i := a.fileOf(e.open)
		a.bytesOf(i).zero.Remove(span(e.offset, e.length))
		a.change(i, e, span(e.offset, e.length))
	case fscc.QueryAllocatedRanges:
		t := a.bytesOf(a.fileOf(e.open))
		asked := span(e.offset, e.length)
		at := asked.Start
		if out, ok := b.Output.(*fscc.AllocatedRangesReply); ok {
			for k := range out.Ranges.Len() {
				r := span(out.Ranges.At(k).Offset, out.Ranges.At(k).Length)
				if r.Start > at {
					t.zero.Add(Range{at, r.Start})
				}
				t.listed.Add(r)
				t.zero.Remove(r)
				at = max(at, r.End)
			}
		}
		if s == ntstatus.Success && at < asked.End { // else there are more
			t.zero.Add(Range{at, asked.End})
		}
	}
}

// altered takes bytes that something wrote to a file whose traffic is kept.
func (a *Analyzer) altered(i uint32, e *exchange, r Range, zeros bool) {
	if r.Len() == 0 {
		return
	}
	f := &a.files[i]
	if zeros {
		f.zero.Add(r)
		f.listed.Remove(r)
	} else {
		f.zero.Remove(r)
	}
	if f.life > 0 && !f.blurred {
		f.written.Add(r)
		if len(f.written) > maxScatter {
			f.written, f.blurred = nil, true
		}
	}
	a.change(i, e, r)
	for _, y := range f.into {
		y.tookOver(r, int(e.reqFrame), e.reqTime)
	}
}

// change keeps that the bytes of a file are not what they were.
func (a *Analyzer) change(i uint32, e *exchange, r Range) {
	f := &a.files[i]
	if f.traffic == nil || !f.watched || r.Len() == 0 {
		return
	}
	ch := Change{Command: e.command, Function: e.function, Range: r, Frame: int(e.reqFrame), Answer: int(e.ansFrame), begun: e.reqTime, done: e.ansTime}
	if len(f.changes) >= maxChanges {
		f.changes = append(f.changes[:0:0], f.changes[maxChanges/2:]...)
	}
	f.changes = append(f.changes, ch)
	for _, m := range f.mints {
		m.changed(ch)
	}
}

// sector keeps the logical sector size of a tree, and its allocation unit in sectors.
func (a *Analyzer) sector(e *exchange, bytes, unit uint32) {
	if e.tree != 0 && bytes != 0 {
		t := &a.trees[e.tree]
		t.sector = bytes
		if unit != 0 && uint64(bytes)*uint64(unit) < 1<<32 {
			t.cluster = bytes * unit
		}
	}
}
