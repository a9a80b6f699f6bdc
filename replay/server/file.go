package server

import (
	"crypto/rand"
	"sync"
	"time"

	"github.com/odxray/odxray/dissect/dtyp"
	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
)

type fileKey = FileNumber

// clusterSize is the allocation unit that is told, in bytes.
const clusterSize = 4096

// What both stores can do. [MS-FSCC] 2.5.1
const (
	fsCaseSearch, fsCasePreserved, fsUnicode = 0x1, 0x2, 0x4
	fsNamedStreams                           = 0x40000
	commonFeatures                           = fsCasePreserved | fsUnicode | fscc.FsSupportsSparseFiles
)

// file is what the opens of one file, directory or stream have in common. Server.mu
// guards it, but for obj and what never changes.
type file struct {
	s         *Server
	key       fileKey
	obj       Object
	directory bool
	stream    string

	path          string
	opens         []*open
	held          int // by tokens
	deletePending bool
	reserved      int64 // bytes of allocation that a client asked for
	locks         []byteLock
	unlocked      chan struct{} // closed when locks go; nil if nobody waits
	tokens        map[*token]bool
	stamp         stamp // of what the server itself wrote last

	io sync.RWMutex // held while data changes, and shared while it must not
}

// open is an open file. [MS-SMB2] 3.3.1.10
type open struct {
	s         *Server
	sess      *session
	tree      *tree
	id        smb2.FileID
	resumeKey fscc.ResumeKey
	file      *file // nil: a pipe
	pipe      *pipe
	access    dtyp.AccessMask
	share     smb2.ShareAccess
	options   smb2.CreateOptions
	closed    bool

	grant         *grant // what the client may cache; nil is nothing
	deleteOnClose bool
	position      uint64
	nextEA        int // of a query for one at a time
	list          *listing
	watch         *watch

	sequences       [64]uint8 // of LOCKs, as lockSequence has them
	channelSequence uint16    // the newest that a request had

	// Of an open that outlives its connection; sess is nil while the client is away.
	durable   bool
	resilient bool
	created   createKey // zero without
	action    smb2.CreateAction
	timeout   time.Duration
	user      string
	waits     *time.Timer

	client     wire.GUID // that opened it
	app        wire.GUID // of a clustered application; zero without
	appVersion [2]uint64
}

// attr describes the file behind an open.
func (f *file) attr() (Attr, error) {
	a, err := f.obj.Attr()
	if err != nil {
		return a, err
	}
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	a.Allocation = max(a.Allocation, f.reserved)
	return a, nil
}

// register makes an open of f. Server.mu is held.
func (s *Server) register(o *open) {
	id := s.id()
	copy(o.id[:], wire.AppendU64(wire.AppendU64(nil, id|1<<40), id))
	copy(o.resumeKey[:], o.id[:])
	rand.Read(o.resumeKey[16:])
	s.opens++
	o.sess.opens[o.id] = o
	if o.file != nil {
		o.file.opens = append(o.file.opens, o)
	}
}

// close takes an open back. Nothing is held.
func (o *open) close() {
	s := o.s
	s.names.Lock()
	defer s.names.Unlock()
	s.mu.Lock()
	if o.closed {
		s.mu.Unlock()
		return
	}
	o.closed = true
	s.opens--
	if o.sess != nil {
		delete(o.sess.opens, o.id)
		o.sess.stop(func(p *pending) bool { return p.open == o })
	} else {
		delete(s.durable, o.id)
		o.waits.Stop()
	}
	if s.created[o.created] == o {
		delete(s.created, o.created)
	}
	f := o.file
	if f == nil {
		s.mu.Unlock()
		return
	}
	for i, other := range f.opens {
		if other == o {
			f.opens = append(f.opens[:i:i], f.opens[i+1:]...)
			break
		}
	}
	f.unlockAll(o)
	s.releaseGrant(o)
	if o.watch != nil {
		delete(s.watches, o.watch)
	}
	s.tokens.closed(s, o)
	if o.deleteOnClose {
		f.doom()
	}
	remove := f.deletePending && len(f.opens) == 0
	path := f.path
	s.forget(f)
	s.mu.Unlock()
	if !remove {
		return
	}
	there, err := s.cfg.Store.Stat(path)
	if err == nil {
		err = s.cfg.Store.Remove(path, f.stream)
	}
	if err != nil {
		s.logf("%s could not be removed: %v", windowsPath(path, f.stream), err)
		return
	}
	if f.stream == "" && there.Links <= 1 {
		s.forgetKept(there.ID)
	}
	s.changed(path, fscc.ActionRemoved, notifyName(f.directory))
}

// forget drops f if nobody needs it any more. Server.mu is held.
func (s *Server) forget(f *file) {
	if len(f.opens) == 0 && f.held == 0 {
		if s.files[f.key] == f {
			delete(s.files, f.key)
		}
		f.obj.Close()
	} else if len(f.opens) == 0 && f.deletePending {
		// Tokens read on, but a new file may get the number.
		delete(s.files, f.key)
	}
}

// find returns the open that a request's FileId means.
func (r *request) find(id smb2.FileID) (*open, status) {
	var o *open
	if r.related && allOnes(id) {
		if o = r.chain.open; o == nil && r.chain.failed.IsError() {
			return nil, r.chain.failed // what should have opened the file says why it did not
		}
	} else {
		o = r.sess.opens[id]
	}
	if o == nil || o.closed || o.tree != r.tree {
		return nil, ntstatus.FileClosed
	}
	if !o.inStep(r) {
		return nil, ntstatus.FileNotAvailable
	}
	r.chain.open, r.file = o, o
	return o, ntstatus.Success
}

// inStep tells whether a request comes from before a channel was lost, and would change
// what the client has changed on another since. [MS-SMB2] 3.3.5.2.10
func (o *open) inStep(r *request) bool {
	if r.c.dialect < smb2.Dialect300 {
		return true
	}
	if ahead := r.h.ChannelSequence - o.channelSequence; ahead < 1<<15 {
		o.channelSequence = r.h.ChannelSequence
		return true
	}
	switch r.h.Command {
	case smb2.Write, smb2.SetInfo, smb2.Ioctl:
		return false
	}
	return true
}

func allOnes(id smb2.FileID) bool {
	for _, b := range id {
		if b != 0xff {
			return false
		}
	}
	return true
}

// findFile is find for what only files and directories have.
func (r *request) findFile(id smb2.FileID) (*open, status) {
	o, st := r.find(id)
	if st == ntstatus.Success && o.file == nil {
		return nil, ntstatus.InvalidDeviceRequest
	}
	return o, st
}

// needs reports whether the open has at least one of the rights.
func (o *open) needs(any dtyp.AccessMask) status {
	if o.access&any == 0 {
		return ntstatus.AccessDenied
	}
	return ntstatus.Success
}

// messageTimes are the times of a file as CREATE and CLOSE have them.
func messageTimes(t *fscc.Times) smb2.Times {
	return smb2.Times{Creation: uint64(t.Creation), LastAccess: uint64(t.LastAccess), LastWrite: uint64(t.LastWrite), Change: uint64(t.Change)}
}

// attributes are those of a file as messages have them: at least one is set.
func attributes(a *Attr) fscc.Attributes {
	if a.Attributes == 0 {
		return fscc.AttributeNormal
	}
	return a.Attributes
}
