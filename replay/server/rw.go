package server

import (
	"errors"
	"io"
	"math"

	"github.com/odxray/odxray/dissect/dtyp"
	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/smb2"
)

// charged tells whether the credits of r pay for n bytes. [MS-SMB2] 3.3.5.2.5
func (r *request) charged(n uint32) bool {
	if n > r.c.maxSize {
		return false
	}
	if r.c.caps&smb2.CapLargeMTU == 0 {
		return true
	}
	return n == 0 || (n-1)/65536+1 <= uint32(max(r.h.CreditCharge, 1))
}

// read serves READ. [MS-SMB2] 3.3.5.12
func (r *request) read(m *smb2.ReadRequest) status {
	o, st := r.find(m.File)
	if st != ntstatus.Success {
		return st
	}
	if !r.charged(m.Length) || m.Channel != smb2.ChannelNone {
		return ntstatus.InvalidParameter
	}
	if o.pipe != nil {
		return r.readPipe(o, m.Length)
	}
	if o.file.directory {
		return ntstatus.InvalidDeviceRequest
	}
	if st := o.needs(readRights); st != ntstatus.Success {
		return st
	}
	if m.Offset > math.MaxInt64-uint64(m.Length) {
		return ntstatus.InvalidParameter
	}
	if o.file.locked(o, m.Offset, uint64(m.Length), false) {
		return ntstatus.FileLockConflict
	}
	// The buffer is as large as what there is to read, not as was asked for.
	a, err := o.file.obj.Attr()
	if err != nil {
		return statusOf(err)
	}
	n := min(int64(m.Length), max(a.Size-int64(m.Offset), 0))
	b := make([]byte, n)
	got, err := o.file.obj.ReadAt(b, int64(m.Offset))
	if err != nil && !errors.Is(err, io.EOF) {
		return statusOf(err)
	}
	if got == 0 && m.Length > 0 || uint32(got) < m.MinimumCount {
		return ntstatus.EndOfFile
	}
	o.position = m.Offset + uint64(got)
	r.c.s.stats.bytesRead.Add(int64(got))
	r.body = (&smb2.ReadResponse{Data: b[:got]}).Append(make([]byte, 0, got+16))
	return ntstatus.Success
}

// write serves WRITE. [MS-SMB2] 3.3.5.13
func (r *request) write(m *smb2.WriteRequest) status {
	o, st := r.find(m.File)
	if st != ntstatus.Success {
		return st
	}
	if !r.charged(m.Length) || uint32(len(m.Data)) != m.Length || m.Channel != smb2.ChannelNone {
		return ntstatus.InvalidParameter
	}
	if o.pipe != nil {
		return r.writePipe(o, m.Data)
	}
	if o.file.directory {
		return ntstatus.InvalidDeviceRequest
	}
	if st := o.needs(writeRights); st != ntstatus.Success {
		return st
	}
	off := m.Offset
	if o.access&dtyp.WriteData == 0 {
		a, err := o.file.obj.Attr()
		if err != nil {
			return statusOf(err)
		}
		if off < uint64(a.Size) {
			return ntstatus.AccessDenied // it may append only
		}
	}
	if off > math.MaxInt64 || m.Length > 0 && (off > maxFileSize || uint64(m.Length) > maxFileSize-off) {
		return ntstatus.InvalidParameter
	}
	if o.file.locked(o, off, uint64(m.Length), true) {
		return ntstatus.FileLockConflict
	}
	n := 0
	if len(m.Data) > 0 {
		o.writing(int64(off), int64(len(m.Data)))
		var err error
		n, err = o.file.obj.WriteAt(m.Data, int64(off))
		o.wrote()
		if n == 0 && err != nil {
			return statusOf(err)
		}
		r.c.s.changed(o.file.name(), fscc.ActionModified, notifySize|notifyWrite)
	}
	if m.Flags&smb2.WriteThrough != 0 {
		o.file.obj.Sync()
	}
	o.position = off + uint64(n)
	r.c.s.stats.bytesWritten.Add(int64(n))
	r.body = (&smb2.WriteResponse{Count: uint32(n)}).Append(nil)
	return ntstatus.Success
}

// name is the path of a file, which a rename changes.
func (f *file) name() string {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	return f.path
}

// flushFile serves FLUSH. [MS-SMB2] 3.3.5.11
func (r *request) flushFile(m *smb2.FlushRequest) status {
	o, st := r.find(m.File)
	if st != ntstatus.Success {
		return st
	}
	if o.file != nil {
		if st := o.needs(writeRights); st != ntstatus.Success {
			return st
		}
		if !o.file.directory {
			if err := o.file.obj.Sync(); err != nil {
				return statusOf(err)
			}
		}
	}
	r.body = new(smb2.FlushResponse).Append(nil)
	return ntstatus.Success
}
