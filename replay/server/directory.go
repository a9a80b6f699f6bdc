package server

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"path"

	"github.com/odxray/odxray/dissect/dtyp"
	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
)

// listing is a directory as it was when a client began to list it.
type listing struct {
	pattern string
	entries []Attr
	next    int
}

// queryDirectory serves QUERY_DIRECTORY. [MS-SMB2] 3.3.5.18
func (r *request) queryDirectory(m *smb2.QueryDirectoryRequest) status {
	o, st := r.findFile(m.File)
	if st != ntstatus.Success {
		return st
	}
	if !o.file.directory || !r.charged(m.OutputLength) {
		return ntstatus.InvalidParameter
	}
	if !m.Class.Lists() || m.Class == fscc.FilePosix {
		return ntstatus.InvalidInfoClass
	}
	if st := o.needs(dtyp.ReadData); st != ntstatus.Success {
		return st
	}
	if m.Flags&(smb2.FindRestart|smb2.FindReopen) != 0 {
		o.list = nil
	}
	first := o.list == nil
	if first {
		pattern := m.Pattern.String()
		if pattern == "" {
			return ntstatus.ObjectNameInvalid
		}
		l, err := r.c.s.list(o.file, pattern)
		if err != nil {
			return statusOf(err)
		}
		o.list = l
	}
	l := o.list
	var out fscc.Listing
	for l.next < len(l.entries) {
		if a := &l.entries[l.next]; !first && r.c.s.missing(o.file, a.Name) {
			l.next++
			continue
		}
		e := entryOf(&l.entries[l.next])
		e.EASize = r.c.s.eaSize(l.entries[l.next].ID)
		if !out.Add(m.Class, &e, int(m.OutputLength)) {
			if out.Raw == nil {
				return ntstatus.InfoLengthMismatch
			}
			break
		}
		if l.next++; m.Flags&smb2.FindSingle != 0 {
			break
		}
	}
	switch {
	case out.Raw != nil:
		r.body = smb2.AppendOutput(nil, out.Raw)
		return ntstatus.Success
	case first:
		return ntstatus.NoSuchFile
	}
	return ntstatus.NoMoreFiles
}

// list reads a directory: itself, the one above, and what is in it.
func (s *Server) list(f *file, pattern string) (*listing, error) {
	dir := f.name()
	l := &listing{pattern: pattern}
	a, err := f.obj.Attr()
	if err != nil {
		return nil, err
	}
	for _, name := range []string{".", ".."} {
		if a.Name = name; pattern == "*" || matches(pattern, name) {
			l.entries = append(l.entries, a)
		}
	}
	err = s.cfg.Store.List(dir, func(a Attr) bool {
		if pattern == "*" || matches(pattern, a.Name) {
			l.entries = append(l.entries, a)
		}
		return len(l.entries) < s.cfg.Limits.Names
	})
	return l, err
}

func entryOf(a *Attr) fscc.DirectoryEntry {
	e := fscc.DirectoryEntry{
		Times: a.Times, EndOfFile: uint64(a.Size), AllocationSize: uint64(a.Allocation), Attributes: attributes(a),
		FileID: a.ID.File, Name: wire.AppendUTF16(nil, a.Name),
	}
	binary.LittleEndian.PutUint64(e.FileID128[:], a.ID.File)
	if a.Name == "." || a.Name == ".." {
		e.FileID = 0
	} else {
		e.ShortName = text(shortName(a.Name, a.ID.File))
	}
	return e
}

// missing tells that a name of a directory is gone since it was listed.
func (s *Server) missing(f *file, name string) bool {
	if name == "." || name == ".." {
		return false
	}
	_, err := s.cfg.Store.Stat(path.Join(f.name(), name))
	return errors.Is(err, fs.ErrNotExist)
}
