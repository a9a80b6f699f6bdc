package server

import (
	"errors"
	"io/fs"
	"math"

	"github.com/odxray/odxray/dissect/dtyp"
	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/smb2"
)

const (
	statusBadImpersonation status = 0xc00000a5

	settable = fscc.AttributeReadOnly | fscc.AttributeHidden | fscc.AttributeSystem | fscc.AttributeArchive |
		fscc.AttributeTemporary | fscc.AttributeOffline | fscc.AttributeNotContentIndexed

	readRights  = dtyp.ReadData | dtyp.Execute
	writeRights = dtyp.WriteData | dtyp.AppendData
)

// create serves CREATE. [MS-SMB2] 3.3.5.9
func (r *request) create(m *smb2.CreateRequest) status {
	if r.tree.pipe {
		return r.createPipe(m)
	}
	if m.Contexts&(smb2.ContextReconnect|smb2.ContextReconnectV2) != 0 {
		return r.reconnect(m)
	}
	if st := checkCreate(m); st != ntstatus.Success {
		return st
	}
	if known, st := r.replayed(m); known {
		return st
	}
	defer r.creates(m)()
	path, stream, st := parsePath(m.Name.String())
	if st != ntstatus.Success {
		return st
	}
	if st := r.supersede(m, path); st != ntstatus.Success {
		return st
	}
	o := &open{
		s: r.c.s, sess: r.sess, tree: r.tree, share: m.ShareAccess, options: m.Options, access: granted(m.DesiredAccess), client: r.c.clientGUID,
		channelSequence: r.h.ChannelSequence,
	}
	if m.Contexts.Has(smb2.ContextAppInstanceID) {
		o.app, o.appVersion = m.AppInstanceID, m.AppVersion
	}
	o.deleteOnClose = m.Options&smb2.OptionDeleteOnClose != 0
	if o.deleteOnClose && o.access&dtyp.Delete == 0 {
		return ntstatus.AccessDenied
	}
	var action smb2.CreateAction
	for {
		var busy <-chan struct{}
		action, busy, st = r.tryCreate(m, o, path, stream)
		if busy == nil {
			break
		}
		// Somebody else caches: wait until that is over.
		if st := r.await(busy); st != ntstatus.Success {
			return st
		}
	}
	if st != ntstatus.Success {
		if o.file != nil {
			o.close()
		}
		return st
	}
	r.chain.open, r.file = o, o
	return r.created(m, o, action)
}

// checkCreate rejects what makes no sense whatever the file.
func checkCreate(m *smb2.CreateRequest) status {
	const reserved = 0xff000000
	switch {
	case m.Impersonation > 3:
		return statusBadImpersonation
	case m.Disposition > smb2.OverwriteIf, m.Options&reserved != 0, m.ShareAccess&^7 != 0,
		m.Options&smb2.OptionDirectory != 0 && m.Options&smb2.OptionNonDirectory != 0,
		m.Options&smb2.OptionDirectory != 0 && (m.Disposition == smb2.Supersede || m.Disposition >= smb2.Overwrite),
		m.FileAttributes&^0x7fff != 0:
		return ntstatus.InvalidParameter
	case durableAsked(m.Contexts) != ntstatus.Success:
		return ntstatus.InvalidParameter
	case m.Options&smb2.OptionOpenByFileID != 0:
		return ntstatus.NotSupported
	case m.DesiredAccess == 0, m.DesiredAccess&dtyp.SystemSecurity != 0:
		return ntstatus.AccessDenied
	case m.DesiredAccess&0x0ce0fe00 != 0:
		return ntstatus.AccessDenied
	case m.Contexts.Has(smb2.ContextTimeWarp) && m.TimeWarp != 0:
		return ntstatus.ObjectNameNotFound
	}
	if _, st := createSecurity(m); st != ntstatus.Success {
		return st
	}
	if m.Contexts.Has(smb2.ContextEA) {
		return checkEAs(&m.EA)
	}
	return ntstatus.Success
}

// granted turns generic rights into those of files. Everybody may do everything.
func granted(a dtyp.AccessMask) dtyp.AccessMask {
	for _, g := range []struct{ generic, rights dtyp.AccessMask }{
		{dtyp.GenericAll, allAccess}, {dtyp.MaximumAllowed, allAccess},
		{dtyp.GenericRead, 0x00120089}, {dtyp.GenericWrite, 0x00120116}, {dtyp.GenericExecute, 0x001200a0},
	} {
		if a&g.generic != 0 {
			a = a&^g.generic | g.rights
		}
	}
	return a
}

// tryCreate opens or makes the file. If it returns a channel, somebody caches what stands
// in the way, and was told to give it up.
func (r *request) tryCreate(m *smb2.CreateRequest, o *open, path, stream string) (action smb2.CreateAction, wait <-chan struct{}, _ status) {
	s := r.c.s
	s.names.Lock()
	defer s.names.Unlock()
	a, err := s.cfg.Store.Stat(path)
	there := err == nil
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, nil, statusOf(err)
	}
	var obj Object
	switch {
	case stream != "" && there:
		opened, err := s.cfg.Store.Open(path, stream)
		if errors.Is(err, errUnsupported) {
			return 0, nil, ntstatus.ObjectNameInvalid
		}
		obj, there = opened, err == nil
	case stream != "" && m.Disposition != smb2.Open && m.Disposition != smb2.Overwrite:
		// Making the stream makes the file.
		file, err := s.cfg.Store.Create(path, "", false)
		if err != nil {
			return 0, nil, statusOf(err)
		}
		file.Close()
	}
	if !there {
		return r.make(m, o, path, stream)
	}
	if st := r.mayOpen(m, o, path, stream, a); st != ntstatus.Success {
		if obj != nil {
			obj.Close()
		}
		return 0, nil, st
	}
	if obj == nil {
		if obj, err = s.cfg.Store.Open(path, ""); err != nil {
			return 0, nil, statusOf(err)
		}
	}
	overwrite := m.Disposition == smb2.Supersede || m.Disposition == smb2.Overwrite || m.Disposition == smb2.OverwriteIf
	busy, st := s.join(o, obj, path, stream, a.Directory && stream == "", overwrite, r.leaseKey(m))
	if st != ntstatus.Success || busy != nil {
		return 0, busy, st
	}
	if !overwrite {
		return smb2.ActionOpened, nil, ntstatus.Success
	}
	o.writing(0, math.MaxInt64)
	if err = o.file.obj.Truncate(0); err == nil {
		err = o.file.obj.SetAttr(Attr{Attributes: m.FileAttributes&settable | fscc.AttributeArchive})
	}
	o.wrote()
	if err != nil {
		return 0, nil, statusOf(err)
	}
	s.mu.Lock()
	o.file.reserved = reservation(m)
	s.mu.Unlock()
	s.changed(path, fscc.ActionModified, notifySize|notifyWrite|notifyAttributes)
	if m.Disposition == smb2.Supersede {
		return smb2.ActionSuperseded, nil, ntstatus.Success
	}
	return smb2.ActionOverwritten, nil, ntstatus.Success
}

// mayOpen checks what is there against what the client wants.
func (r *request) mayOpen(m *smb2.CreateRequest, o *open, path, stream string, a Attr) status {
	directory := a.Directory && stream == ""
	switch {
	case m.Disposition == smb2.CreateNew:
		return ntstatus.ObjectNameCollision
	case directory && m.Options&smb2.OptionNonDirectory != 0:
		return ntstatus.FileIsADirectory
	case !directory && m.Options&smb2.OptionDirectory != 0:
		return ntstatus.NotADirectory
	case directory && (m.Disposition == smb2.Supersede || m.Disposition >= smb2.Overwrite):
		return ntstatus.ObjectNameCollision
	case path == "" && o.deleteOnClose:
		return statusCannotDelete
	}
	if a.Attributes&fscc.AttributeReadOnly != 0 && !directory {
		if o.deleteOnClose {
			return statusCannotDelete
		}
		switch {
		case m.Disposition == smb2.Supersede || m.Disposition >= smb2.Overwrite:
			return ntstatus.AccessDenied
		case m.DesiredAccess&dtyp.MaximumAllowed != 0:
			o.access &^= writeRights
		case o.access&writeRights != 0:
			return ntstatus.AccessDenied
		}
	}
	const protected = fscc.AttributeHidden | fscc.AttributeSystem
	if (m.Disposition == smb2.Supersede || m.Disposition >= smb2.Overwrite) && a.Attributes&protected&^m.FileAttributes != 0 {
		return ntstatus.AccessDenied
	}
	return ntstatus.Success
}

// make makes what is not there.
func (r *request) make(m *smb2.CreateRequest, o *open, path, stream string) (smb2.CreateAction, <-chan struct{}, status) {
	s := r.c.s
	if m.Disposition == smb2.Open || m.Disposition == smb2.Overwrite {
		return 0, nil, ntstatus.ObjectNameNotFound
	}
	directory := m.Options&smb2.OptionDirectory != 0
	if o.deleteOnClose && m.FileAttributes&fscc.AttributeReadOnly != 0 {
		return 0, nil, statusCannotDelete
	}
	obj, err := s.cfg.Store.Create(path, stream, directory)
	if err != nil {
		return 0, nil, statusOf(err)
	}
	attr := m.FileAttributes & settable
	if directory {
		attr = attr&^(fscc.AttributeTemporary|fscc.AttributeArchive) | fscc.AttributeDirectory
	} else {
		attr |= fscc.AttributeArchive
	}
	if stream == "" {
		obj.SetAttr(Attr{Attributes: attr})
		s.keepNew(obj.ID(), m)
	}
	_, st := s.join(o, obj, path, stream, directory, false, r.leaseKey(m))
	if st != ntstatus.Success {
		return 0, nil, st
	}
	s.mu.Lock()
	o.file.reserved = reservation(m)
	s.mu.Unlock()
	s.changed(path, fscc.ActionAdded, notifyName(directory))
	return smb2.ActionCreated, nil, ntstatus.Success
}

// reservation is the allocation that the client asks for.
func reservation(m *smb2.CreateRequest) int64 {
	if !m.Contexts.Has(smb2.ContextAllocation) || m.AllocationSize > maxFileSize {
		return 0
	}
	return int64(m.AllocationSize+sectorSize-1) &^ (sectorSize - 1)
}

// join adds o to the opens of what obj is, which it takes over, if those share with it.
// names is held.
func (s *Server) join(o *open, obj Object, path, stream string, directory, overwrite bool, key leaseKey) (<-chan struct{}, status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.opens >= s.cfg.Limits.Opens {
		obj.Close()
		return nil, ntstatus.InsufficientResources
	}
	f := s.files[obj.ID()]
	if f == nil {
		f = &file{s: s, key: obj.ID(), obj: obj, path: path, stream: stream, directory: directory, tokens: map[*token]bool{}}
		s.files[f.key] = f
	} else {
		obj.Close()
	}
	fail := func(st status) (<-chan struct{}, status) {
		s.forget(f)
		return nil, st
	}
	if f.deletePending {
		return fail(ntstatus.DeletePending)
	}
	if g := s.leases[key]; g != nil && g.file != f {
		return fail(ntstatus.InvalidParameter) // a lease is about one file
	}
	if other := f.conflict(o.access, o.share); other != nil {
		// Whoever only keeps a handle for later gives it up.
		if g := other.grant; g != nil && !g.is(key) {
			if busy := s.breakHandle(g); busy != nil {
				s.forget(f)
				return busy, ntstatus.Success
			}
		}
		return fail(ntstatus.SharingViolation)
	}
	keep := smb2.LeaseRead | smb2.LeaseHandle
	if overwrite {
		keep = 0
	}
	for _, other := range f.opens {
		g := other.grant
		if g == nil || g.is(key) || o.looks(g.lease) && !overwrite {
			continue
		}
		var busy <-chan struct{}
		switch {
		case g.state&smb2.LeaseWrite != 0:
			busy = s.demand(g, g.state&keep)
		case o.deleteOnClose:
			busy = s.breakHandle(g)
		}
		if busy != nil {
			s.forget(f)
			return busy, ntstatus.Success
		}
	}
	if overwrite {
		s.breakReaders(f, key)
	}
	o.file = f
	s.register(o)
	return nil, ntstatus.Success
}

// sharedRights are those that opens have to share. The others disturb nobody.
const sharedRights = readRights | writeRights | dtyp.Delete

// conflict returns an open that does not share with one of that access.
// [MS-FSA] 2.1.5.1.2.2
func (f *file) conflict(access dtyp.AccessMask, share smb2.ShareAccess) *open {
	if access&sharedRights == 0 {
		return nil
	}
	for _, other := range f.opens {
		if other.access&sharedRights != 0 && (clash(access, other.share) || clash(other.access, share)) {
			return other
		}
	}
	return nil
}

func clash(access dtyp.AccessMask, share smb2.ShareAccess) bool {
	return access&readRights != 0 && share&smb2.ShareRead == 0 ||
		access&writeRights != 0 && share&smb2.ShareWrite == 0 ||
		access&dtyp.Delete != 0 && share&smb2.ShareDelete == 0
}

// created answers a CREATE that succeeded.
func (r *request) created(m *smb2.CreateRequest, o *open, action smb2.CreateAction) status {
	a, err := o.file.attr()
	if err != nil {
		o.close()
		return statusOf(err)
	}
	s := r.c.s
	out := smb2.CreateResponse{
		Action: action, Times: messageTimes(&a.Times), AllocationSize: uint64(a.Allocation), EndOfFile: uint64(a.Size),
		Attributes: attributes(&a), File: o.id,
	}
	s.mu.Lock()
	s.grantCaching(m, r.leaseKey(m), o, &out)
	o.action = action
	o.makeDurable(m, r.c.clientGUID, &out)
	s.mu.Unlock()
	if m.Contexts.Has(smb2.ContextMaximalAccess) {
		out.Contexts |= smb2.ContextMaximalAccess
		out.MaximalAccess = allAccess
		if a.Attributes&fscc.AttributeReadOnly != 0 && !a.Directory {
			out.MaximalAccess &^= writeRights
		}
	}
	if m.Contexts.Has(smb2.ContextDiskID) {
		out.Contexts |= smb2.ContextDiskID
		out.DiskFileID, out.VolumeID = a.ID.File, a.ID.Volume
	}
	r.body = out.Append(nil)
	return ntstatus.Success
}

// close serves CLOSE. [MS-SMB2] 3.3.5.10
func (r *request) close(m *smb2.CloseRequest) status {
	o, st := r.find(m.File)
	if st != ntstatus.Success {
		return st
	}
	var out smb2.CloseResponse
	if m.Flags&smb2.ClosePostQuery != 0 && o.file != nil {
		if a, err := o.file.attr(); err == nil {
			out = smb2.CloseResponse{
				Flags: smb2.ClosePostQuery, Times: messageTimes(&a.Times), AllocationSize: uint64(a.Allocation),
				EndOfFile: uint64(a.Size), Attributes: attributes(&a),
			}
		}
	}
	o.close()
	r.body = out.Append(nil)
	return ntstatus.Success
}
