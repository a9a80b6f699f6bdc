package flows

// Files as copies see them: what opens of one path on one server have in common.

import (
	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/smb2"
)

// file is one file on one server. An open whose path is unknown has a file of its own.
type file struct {
	server    uint32
	share     uint32 // index of the share's name; 0 if unknown
	name      uint32 // 0 if unknown
	size      uint64 // last known end of file; valid iff hasSize
	hasSize   bool
	fresh     bool   // the capture shows that it was empty before anything was copied into it
	sized     uint64 // end of file that a client set; valid iff presized
	presized  bool
	openFrame uint32 // of the CREATE response of its first open
	opens     int    // that are open
	sector    uint32 // logical sector size of its volume, in bytes; 0 unknown
}

type fileKey struct{ server, share, name uint32 }

// fileOf returns the file of an open.
func (a *Analyzer) fileOf(open uint32) uint32 {
	if open == 0 {
		return 0
	}
	o := &a.opens[open]
	if o.file != 0 {
		return o.file
	}
	f := file{name: o.name, openFrame: o.openFrame, opens: 1}
	if o.session != 0 {
		f.server = a.sessions[o.session].server
	}
	if o.tree != 0 {
		f.share = a.internBytes([]byte(a.trees[o.tree].share))
		f.sector = a.trees[o.tree].sector
	}
	if f.name != 0 {
		k := fileKey{f.server, f.share, f.name}
		if i, ok := a.fileByKey[k]; ok {
			o.file = i
			a.files[i].opens++
			return i
		}
		a.fileByKey[k] = uint32(len(a.files))
	}
	a.files = append(a.files, f)
	o.file = uint32(len(a.files) - 1)
	return o.file
}

// Create actions. [MS-SMB2] 2.2.14
const (
	actionSuperseded  = 0
	actionCreated     = 2
	actionOverwritten = 3
)

// observe keeps what an answered request says of a file's size.
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
		if b.Attributes&fscc.AttributeDirectory != 0 {
			return
		}
		size(b.EndOfFile)
		f := &a.files[a.fileOf(e.open)]
		if f.openFrame == 0 {
			f.openFrame = a.frame
		}
		switch b.Action {
		case actionSuperseded, actionCreated, actionOverwritten:
			f.fresh, f.presized = true, false
		}
	case *smb2.CloseResponse:
		if b.Flags&1 != 0 && m.Status == ntstatus.Success { // POSTQUERY_ATTRIB
			size(b.EndOfFile)
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
			a.sector(e, in.Logical)
		case *fscc.FsFullSizeInfo:
			a.sector(e, in.BytesPerSector)
		case *fscc.FsSizeInfo:
			a.sector(e, in.BytesPerSector)
		}
	case *smb2.SetInfoResponse:
		if e.facts&setsSize != 0 {
			size(e.length)
			f := &a.files[a.fileOf(e.open)]
			f.presized, f.sized = true, e.length
			f.fresh = f.fresh || e.length == 0
		}
	case *smb2.WriteResponse:
		f := &a.files[a.fileOf(e.open)]
		if f.hasSize {
			f.size = max(f.size, e.offset+e.moved)
		}
	}
}

// sector keeps the logical sector size of a tree.
func (a *Analyzer) sector(e *exchange, bytes uint32) {
	if e.tree != 0 && bytes != 0 {
		a.trees[e.tree].sector = bytes
	}
}
