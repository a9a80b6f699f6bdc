package server

import (
	"math"
	"path"
	"strings"

	"github.com/odxray/odxray/dissect/dtyp"
	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/smb2"
)

// setInfo serves SET_INFO. [MS-SMB2] 3.3.5.21
func (r *request) setInfo(m *smb2.SetInfoRequest) status {
	o, st := r.findFile(m.File)
	if st != ntstatus.Success {
		return st
	}
	if !r.charged(uint32(len(m.Data))) {
		return ntstatus.InvalidParameter
	}
	switch m.Type {
	case fscc.TypeFile:
		st = r.setFile(o, fscc.FileClass(m.Class), m)
	case fscc.TypeSecurity:
		st = o.setSecurity(m)
	case fscc.TypeFileSystem, fscc.TypeQuota:
		return ntstatus.NotSupported
	default:
		return ntstatus.InvalidParameter
	}
	if st == ntstatus.Success {
		r.body = new(smb2.SetInfoResponse).Append(nil)
	}
	return st
}

func (r *request) setFile(o *open, class fscc.FileClass, m *smb2.SetInfoRequest) status {
	switch i := m.Info.(type) {
	case *fscc.BasicInfo:
		return o.setBasic(i)
	case *fscc.EndOfFileInfo:
		return o.setSize(i.EndOfFile)
	case *fscc.AllocationInfo:
		return o.setAllocation(i.AllocationSize)
	case *fscc.DispositionInfo:
		return r.setDisposition(o, i.Flags)
	case *fscc.RenameInfo:
		if class == fscc.FileLink || class == fscc.FileLinkEx {
			return r.link(o, i)
		}
		return r.rename(o, i)
	case *fscc.PositionInfo:
		o.position = i.Position
		return ntstatus.Success
	case *fscc.ModeInfo:
		const lasting = 0x103e
		if i.Mode&^lasting != 0 {
			return ntstatus.InvalidParameter
		}
		o.options = o.options&^lasting | smb2.CreateOptions(i.Mode)
		return ntstatus.Success
	case *fscc.ValidDataLengthInfo:
		return o.needs(dtyp.WriteData)
	case *fscc.FullEAInfo:
		return o.setEAs(i)
	case nil:
		if len(m.Data) == 0 {
			return ntstatus.InfoLengthMismatch
		}
	}
	return ntstatus.InvalidInfoClass
}

// setBasic sets times and attributes. 0 leaves a time as it is; so do the two greatest
// values, which are orders not to change it through this open.
func (o *open) setBasic(m *fscc.BasicInfo) status {
	if st := o.needs(dtyp.WriteAttributes); st != ntstatus.Success {
		return st
	}
	a := Attr{Times: m.Times}
	for _, t := range []*dtyp.FileTime{&a.Creation, &a.LastAccess, &a.LastWrite, &a.Change} {
		if *t >= math.MaxUint64-1 {
			*t = 0
		} else if *t > math.MaxInt64 {
			return ntstatus.InvalidParameter
		}
	}
	if m.Attributes != 0 {
		if o.file.directory != (m.Attributes&fscc.AttributeDirectory != 0) && m.Attributes&fscc.AttributeDirectory != 0 {
			return ntstatus.InvalidParameter
		}
		if o.file.directory && m.Attributes&fscc.AttributeTemporary != 0 {
			return ntstatus.InvalidParameter
		}
		now, err := o.file.obj.Attr()
		if err != nil {
			return statusOf(err)
		}
		a.Attributes = m.Attributes&settable | now.Attributes&(fscc.AttributeDirectory|fscc.AttributeSparse)
		if a.Attributes == 0 {
			a.Attributes = fscc.AttributeNormal
		}
	}
	if err := o.file.obj.SetAttr(a); err != nil {
		return statusOf(err)
	}
	o.file.restamp()
	o.s.changed(o.file.name(), fscc.ActionModified, notifyAttributes|notifyWrite|notifyCreation)
	return ntstatus.Success
}

func (o *open) setSize(size uint64) status {
	if o.file.directory || size > math.MaxInt64 {
		return ntstatus.InvalidParameter
	}
	if st := o.needs(dtyp.WriteData); st != ntstatus.Success {
		return st
	}
	a, err := o.file.obj.Attr()
	if err != nil {
		return statusOf(err)
	}
	from, to := min(uint64(a.Size), size), max(uint64(a.Size), size)
	if o.file.locked(o, from, to-from, true) {
		return ntstatus.FileLockConflict
	}
	o.writing(int64(from), math.MaxInt64-int64(from))
	err = o.file.obj.Truncate(int64(size))
	o.wrote()
	if err != nil {
		return statusOf(err)
	}
	o.s.changed(o.file.name(), fscc.ActionModified, notifySize|notifyWrite)
	return ntstatus.Success
}

// setAllocation reserves room, or cuts a file that has more.
func (o *open) setAllocation(size uint64) status {
	if o.file.directory || size > maxFileSize {
		return ntstatus.InvalidParameter
	}
	if st := o.needs(dtyp.WriteData); st != ntstatus.Success {
		return st
	}
	a, err := o.file.obj.Attr()
	if err != nil {
		return statusOf(err)
	}
	o.s.mu.Lock()
	o.file.reserved = int64(size+clusterSize-1) &^ (clusterSize - 1)
	o.s.breakCaching(o)
	o.s.mu.Unlock()
	if int64(size) < a.Size {
		return o.setSize(size)
	}
	return ntstatus.Success
}

func (r *request) setDisposition(o *open, flags fscc.DispositionFlags) status {
	if st := o.needs(dtyp.Delete); st != ntstatus.Success {
		return st
	}
	del := flags&fscc.DispositionDelete != 0
	s := o.s
	if del {
		if st := r.releaseHandles(o, func(f *file) bool { return f == o.file }); st != ntstatus.Success {
			return st
		}
	}
	path := o.file.name()
	if del {
		a, err := o.file.obj.Attr()
		if err != nil {
			return statusOf(err)
		}
		if path == "" || a.Attributes&fscc.AttributeReadOnly != 0 && flags&fscc.DispositionIgnoreReadOnly == 0 {
			return statusCannotDelete
		}
		if o.file.directory && s.occupied(path) {
			return ntstatus.DirectoryNotEmpty
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if o.file.deletePending = del; del {
		o.file.doom()
	}
	return ntstatus.Success
}

// occupied tells whether there is something in a directory.
func (s *Server) occupied(path string) (yes bool) {
	s.cfg.Store.List(path, func(Attr) bool {
		yes = true
		return false
	})
	return yes
}

// target checks where a rename or a link shall lead.
func (r *request) target(m *fscc.RenameInfo) (string, status) {
	name := strings.TrimPrefix(m.Name.String(), `\`)
	if m.Root != 0 || name == "" {
		return "", ntstatus.InvalidParameter
	}
	to, stream, st := parsePath(name)
	if st == ntstatus.Success && stream != "" {
		st = ntstatus.NotSupported
	}
	return to, st
}

// rename moves the file of o. [MS-FSA] 2.1.5.14.11
func (r *request) rename(o *open, m *fscc.RenameInfo) status {
	if st := o.needs(dtyp.Delete); st != ntstatus.Success {
		return st
	}
	to, st := r.target(m)
	if st != ntstatus.Success {
		return st
	}
	s := r.c.s
	below := o.file.name() + "/"
	there, err := s.cfg.Store.Stat(to)
	st = r.releaseHandles(o, func(f *file) bool {
		return f == o.file || o.file.directory && strings.HasPrefix(f.path, below) || err == nil && f.key == there.ID
	})
	if st != ntstatus.Success {
		return st
	}
	s.names.Lock()
	defer s.names.Unlock()
	from := o.file.name()
	if from == "" || o.file.stream != "" {
		return ntstatus.InvalidParameter
	}
	if from == to {
		return ntstatus.Success
	}
	if o.file.directory && s.openBelow(from) {
		return ntstatus.AccessDenied
	}
	if !o.file.directory && s.fixed(path.Dir(to)) {
		return ntstatus.SharingViolation
	}
	if there, err := s.cfg.Store.Stat(to); err == nil && there.ID != o.file.key {
		switch {
		case m.Flags&fscc.RenameReplace == 0:
			return ntstatus.ObjectNameCollision
		case there.Directory || s.isOpen(there.ID) || there.Attributes&fscc.AttributeReadOnly != 0:
			return ntstatus.AccessDenied
		}
	}
	if err := s.cfg.Store.Rename(from, to); err != nil {
		return statusOf(err)
	}
	s.moved(from, to)
	what := notifyName(o.file.directory)
	list := []change{{path: from, action: fscc.ActionRenamedOldName, what: what}, {path: to, action: fscc.ActionRenamedNewName, what: what}}
	if path.Dir(from) != path.Dir(to) {
		list[0].action, list[1].action = fscc.ActionRemoved, fscc.ActionAdded
	}
	if !o.file.directory { // it is told once, as Windows has it: who does not hear of names hears of this
		list = append(list, change{path: to, action: fscc.ActionModified, what: notifyAttributes | notifyCreation, otherwise: true})
	}
	s.changedAll(list...)
	return ntstatus.Success
}

// link gives the file of o another name.
func (r *request) link(o *open, m *fscc.RenameInfo) status {
	to, st := r.target(m)
	if st != ntstatus.Success {
		return st
	}
	s := r.c.s
	s.names.Lock()
	defer s.names.Unlock()
	if o.file.directory {
		return ntstatus.FileIsADirectory
	}
	if there, err := s.cfg.Store.Stat(to); err == nil {
		if m.Flags&fscc.RenameReplace == 0 {
			return ntstatus.ObjectNameCollision
		}
		if there.Directory || s.isOpen(there.ID) {
			return ntstatus.AccessDenied
		}
		if err := s.cfg.Store.Remove(to, ""); err != nil {
			return statusOf(err)
		}
	}
	if err := s.cfg.Store.Link(o.file.name(), to); err != nil {
		return statusOf(err)
	}
	s.changed(to, fscc.ActionAdded, notifyFileName)
	return ntstatus.Success
}

func (s *Server) isOpen(id FileNumber) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.files[id]
	return f != nil && len(f.opens) > 0
}

// openBelow tells whether something in a directory is open.
func (s *Server) openBelow(dir string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.files {
		if len(f.opens) > 0 && strings.HasPrefix(f.path, dir+"/") {
			return true
		}
	}
	return false
}

// fixed tells whether somebody has a directory open in a way that lets no name come into
// it: a rename opens it to write, and shares reading and writing. [MS-FSA] 2.1.5.14.11
func (s *Server) fixed(dir string) bool {
	if dir == "." {
		dir = ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.files {
		if f.directory && f.path == dir {
			return f.conflict(dtyp.WriteData, smb2.ShareRead|smb2.ShareWrite) != nil
		}
	}
	return false
}

// moved tells the open files below a path where they are now, streams of a file too.
func (s *Server) moved(from, to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.files {
		if f.path == from {
			f.path = to
		} else if rest, below := strings.CutPrefix(f.path, from+"/"); below {
			f.path = to + "/" + rest
		}
	}
}
