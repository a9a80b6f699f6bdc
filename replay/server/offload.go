package server

import (
	"cmp"
	"math"
	"time"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/odx"
)

func up(v int64) int64 { return (v + sectorSize - 1) &^ (sectorSize - 1) }

// offloadRead serves FSCTL_OFFLOAD_READ. [MS-FSA] 2.1.5.10.23, [MS-FSCC] 2.3.41
func (r *request) offloadRead(o *open, m *odx.ReadRequest, most uint32) ([]byte, status) {
	const size, replySize = 32, 16 + odx.TokenSize
	f, s := o.file, r.c.s
	switch {
	case f.directory || f.stream != "":
		return nil, ntstatus.OffloadReadFileUnsupported
	case o.access&readRights == 0:
		return nil, ntstatus.AccessDenied
	case most < replySize:
		return nil, ntstatus.BufferTooSmall
	case m.Size != size, m.FileOffset%sectorSize != 0, m.CopyLength%sectorSize != 0, m.FileOffset > math.MaxInt64-sectorSize:
		return nil, ntstatus.InvalidParameter
	}
	reply := odx.ReadReply{Size: replySize}
	zero := zeroToken()
	reply.Token.Raw = zero[:]
	if m.CopyLength == 0 {
		return reply.Append(nil), ntstatus.Success
	}
	f.io.RLock()
	defer f.io.RUnlock()
	a, err := f.obj.Attr()
	if err != nil {
		return nil, statusOf(err)
	}
	off := int64(m.FileOffset)
	if off >= a.Size {
		return nil, ntstatus.EndOfFile
	}
	limit := s.cfg.ODX.TokenMax
	if s.cfg.ODX.Profile == OneShot {
		limit = min(limit, s.cfg.ODX.WriteMax) // what is left over would be lost
	}
	n := int64(min(m.CopyLength, limit, uint64(up(a.Size-off))))
	if f.locked(o, m.FileOffset, uint64(n), false) {
		return nil, ntstatus.FileLockConflict
	}
	reply.TransferLength = uint64(n)
	data, _, err := f.obj.Allocated(off)
	if err != nil {
		return nil, statusOf(err)
	}
	if data < off+n && data < a.Size {
		f.foreign()
		raw := s.mint(o, off, n, time.Duration(m.TTL)*time.Millisecond)
		reply.Token.Raw = raw[:]
	} else if data >= a.Size {
		reply.Flags = odx.AllZeroBeyond
	}
	return reply.Append(nil), ntstatus.Success
}

// offloadWrite serves FSCTL_OFFLOAD_WRITE. [MS-FSA] 2.1.5.10.24, [MS-FSCC] 2.3.43
func (r *request) offloadWrite(o *open, m *odx.WriteRequest, most uint32) ([]byte, status) {
	const size, replySize = 32 + odx.TokenSize, 16
	f, s := o.file, r.c.s
	switch {
	case f.directory || f.stream != "":
		return nil, ntstatus.OffloadWriteFileUnsupported
	case o.access&writeRights == 0:
		return nil, ntstatus.AccessDenied
	case most < replySize:
		return nil, ntstatus.BufferTooSmall
	case m.Size != size, m.FileOffset%sectorSize != 0, m.CopyLength%sectorSize != 0, m.TransferOffset%sectorSize != 0,
		m.FileOffset > math.MaxInt64-sectorSize, m.TransferOffset > math.MaxInt64:
		return nil, ntstatus.InvalidParameter
	}
	reply := odx.WriteReply{Size: replySize}
	if m.CopyLength == 0 {
		return reply.Append(nil), ntstatus.Success
	}
	zeros := m.Token.Type == odx.ZeroData
	var t *token
	if !zeros {
		if t = s.use(m.Token.Raw, r.sess); t == nil {
			return nil, ntstatus.InvalidToken
		}
	}
	n, st := int64(0), ntstatus.Success
	if zeros {
		n, st = r.writeZeros(o, m)
	} else {
		n, st = r.writeToken(o, m, t)
		s.release(t, st == ntstatus.Success)
	}
	if st != ntstatus.Success {
		return nil, st
	}
	s.stats.offloaded.Add(n)
	s.changed(f.name(), fscc.ActionModified, notifyWrite)
	reply.LengthWritten = uint64(n)
	return reply.Append(nil), ntstatus.Success
}

// room is how many bytes an offload write may write at off: it does not make the file
// longer. bytes is how many of them lie before the end of the file.
func (o *open) room(off int64, n uint64, most uint64) (length, bytes int64, st status) {
	a, err := o.file.obj.Attr()
	if err != nil {
		return 0, 0, statusOf(err)
	}
	if off >= a.Size {
		return 0, 0, ntstatus.EndOfFile
	}
	length = int64(min(n, most, uint64(up(a.Size-off))))
	bytes = min(length, a.Size-off)
	if o.file.locked(o, uint64(off), uint64(bytes), true) {
		return 0, 0, ntstatus.FileLockConflict
	}
	return length, bytes, ntstatus.Success
}

func (r *request) writeZeros(o *open, m *odx.WriteRequest) (int64, status) {
	off := int64(m.FileOffset)
	o.file.io.Lock()
	defer o.file.io.Unlock()
	// Zeros cost nothing, but a token is as large as any.
	n, bytes, st := o.room(off, m.CopyLength, r.c.s.cfg.ODX.WriteMax)
	if st != ntstatus.Success {
		return 0, st
	}
	o.changes(off, bytes)
	err := o.file.obj.Zero(off, bytes)
	o.file.restamp()
	return n, statusOf(err)
}

func (r *request) writeToken(o *open, m *odx.WriteRequest, t *token) (int64, status) {
	from, off := int64(m.TransferOffset), int64(m.FileOffset)
	if from >= t.length {
		return 0, ntstatus.InvalidParameter
	}
	defer lockPair(t.file, o.file)()
	t.file.foreign()
	s := r.c.s
	s.mu.Lock()
	stale := t.stale
	s.mu.Unlock()
	if stale {
		return 0, ntstatus.InvalidToken
	}
	n, bytes, st := o.room(off, min(m.CopyLength, uint64(t.length-from)), s.cfg.ODX.WriteMax)
	if st != ntstatus.Success {
		return 0, st
	}
	o.changes(off, bytes)
	err := copyRange(o.file.obj, t.file.obj, t.off+from, off, bytes)
	o.file.restamp()
	return n, statusOf(err)
}

// lockPair keeps src from changing while dst is changed, and returns what ends that. The
// order is that of the numbers, so that two copies do not wait for one another.
func lockPair(src, dst *file) (unlock func()) {
	if src == dst {
		dst.io.Lock()
		return dst.io.Unlock
	}
	a, b := src.key, dst.key
	before := cmp.Or(cmp.Compare(a.Volume, b.Volume), cmp.Compare(a.File, b.File), cmp.Compare(a.Stream, b.Stream)) < 0
	if before {
		src.io.RLock()
		dst.io.Lock()
	} else {
		dst.io.Lock()
		src.io.RLock()
	}
	return func() {
		dst.io.Unlock()
		src.io.RUnlock()
	}
}
