package server

import (
	"bytes"
	"errors"
	"io"
	"math"

	"github.com/odxray/odxray/dissect/dtyp"
	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/smb2"
)

const copyBuffer = 1 << 20

// copyRange copies n bytes from src to dst: what is a hole there, or lies past its end,
// becomes a hole here.
func copyRange(dst, src Object, srcOff, off, n int64) error {
	if dst.ID() == src.ID() && srcOff < off && off < srcOff+n {
		return copyBackwards(dst, srcOff, off, n)
	}
	var buf []byte
	for n > 0 {
		start, end, err := src.Allocated(srcOff)
		if err != nil {
			return err
		}
		if end <= start || start >= srcOff+n { // holes to the end
			return dst.Zero(off, n)
		}
		if hole := start - srcOff; hole > 0 {
			if err := dst.Zero(off, hole); err != nil {
				return err
			}
			srcOff, off, n = srcOff+hole, off+hole, n-hole
		}
		for srcOff < end && n > 0 {
			k := min(end-srcOff, n, copyBuffer)
			if buf == nil {
				buf = make([]byte, min(n, copyBuffer))
			}
			got, err := src.ReadAt(buf[:k], srcOff)
			if err != nil && !errors.Is(err, io.EOF) || got == 0 {
				return err
			}
			if _, err := dst.WriteAt(buf[:got], off); err != nil {
				return err
			}
			srcOff, off, n = srcOff+int64(got), off+int64(got), n-int64(got)
		}
	}
	return nil
}

// copyBackwards copies within a file, to a range that begins inside the source's.
func copyBackwards(f Object, srcOff, off, n int64) error {
	buf := make([]byte, min(n, copyBuffer))
	for n > 0 {
		k := min(n, copyBuffer)
		got, err := f.ReadAt(buf[:k], srcOff+n-k)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		clear(buf[got:k])
		if _, err := f.WriteAt(buf[:k], off+n-k); err != nil {
			return err
		}
		n -= k
	}
	return nil
}

// writeZeros is Zero for file systems that cannot make holes.
func writeZeros(f Object, off, n int64) error {
	a, err := f.Attr()
	if err != nil {
		return err
	}
	buf := make([]byte, min(n, copyBuffer))
	for n = min(n, a.Size-off); n > 0; {
		k := min(n, copyBuffer)
		if _, err := f.WriteAt(buf[:k], off); err != nil {
			return err
		}
		off, n = off+k, n-k
	}
	return nil
}

// Limits of SRV_COPYCHUNK, which are those of Windows and Samba. [MS-SMB2] 3.3.3
const (
	maxChunks     = 256
	maxChunkBytes = 1 << 20
	maxCopyBytes  = 16 << 20
)

// copyChunk serves FSCTL_SRV_COPYCHUNK and _WRITE, which differ in whether the
// destination has to be readable. [MS-SMB2] 3.3.5.15.6
func (r *request) copyChunk(o *open, m *fscc.CopyChunkRequest, most uint32, readable bool) ([]byte, status) {
	var done fscc.CopyChunkReply
	if most < 12 {
		return nil, ntstatus.InvalidParameter
	}
	n := m.Chunks.Len()
	total := uint64(0)
	tooMuch := m.Count > maxChunks || n != int(m.Count)
	for i := range min(n, maxChunks) {
		k := m.Chunks.At(i)
		total += uint64(k.Length)
		tooMuch = tooMuch || k.Length == 0 || k.Length > maxChunkBytes
	}
	if tooMuch || total > maxCopyBytes {
		limits := fscc.CopyChunkLimits{Chunks: maxChunks, ChunkBytes: maxChunkBytes, TotalBytes: maxCopyBytes}
		return limits.Append(nil), ntstatus.InvalidParameter
	}
	src := r.bySourceKey(&m.Source)
	switch {
	case src == nil || src.file == nil:
		return done.Append(nil), ntstatus.ObjectNameNotFound
	case src.file.directory || o.file.directory:
		return done.Append(nil), ntstatus.InvalidDeviceRequest
	case src.access&readRights == 0, o.access&writeRights == 0, readable && o.access&dtyp.ReadData == 0:
		return done.Append(nil), ntstatus.AccessDenied
	}
	st := ntstatus.Success
	for i := range n {
		k := m.Chunks.At(i)
		if st = r.copyOne(o, src, k); st != ntstatus.Success {
			break
		}
		done.Chunks++
		done.TotalBytes += k.Length
	}
	if done.Chunks > 0 {
		r.c.s.stats.copied.Add(int64(done.TotalBytes))
		r.c.s.changed(o.file.name(), fscc.ActionModified, notifySize|notifyWrite)
	}
	return done.Append(nil), st
}

// bySourceKey finds the open that a resume key names.
func (r *request) bySourceKey(key *fscc.ResumeKey) *open {
	o := r.sess.opens[smb2.FileID(key[:16])]
	if o == nil || !bytes.Equal(o.resumeKey[:], key[:]) {
		return nil
	}
	return o
}

func (r *request) copyOne(o, src *open, k fscc.Chunk) status {
	if k.Source > math.MaxInt64-maxChunkBytes || k.Target > math.MaxInt64-maxChunkBytes {
		return ntstatus.InvalidParameter
	}
	defer lockPair(src.file, o.file)()
	a, err := src.file.obj.Attr()
	if err != nil {
		return statusOf(err)
	}
	n := int64(k.Length)
	switch {
	case int64(k.Source)+n > a.Size:
		return statusInvalidViewSize
	case src.file.locked(src, k.Source, uint64(n), false), o.file.locked(o, k.Target, uint64(n), true):
		return ntstatus.FileLockConflict
	}
	o.changes(int64(k.Target), n)
	defer o.file.restamp()
	// A hole would not make the destination longer.
	if d, err := o.file.obj.Attr(); err == nil && d.Size < int64(k.Target)+n {
		if err := o.file.obj.Truncate(int64(k.Target) + n); err != nil {
			return statusOf(err)
		}
	}
	return statusOf(copyRange(o.file.obj, src.file.obj, int64(k.Source), int64(k.Target), n))
}

// duplicateExtents serves FSCTL_DUPLICATE_EXTENTS_TO_FILE and _EX. Where the file system
// cannot share, the bytes are copied. [MS-FSA] 2.1.5.10.4
func (r *request) duplicateExtents(o *open, m *fscc.DuplicateExtentsRequest) status {
	src := r.sess.opens[smb2.FileID(m.Source)]
	switch {
	case src == nil || src.file == nil:
		return ntstatus.InvalidHandle
	case src.file.directory || o.file.directory:
		return ntstatus.InvalidDeviceRequest
	case src.access&readRights == 0, o.access&writeRights == 0:
		return ntstatus.AccessDenied
	case m.SourceOffset > maxFileSize, m.TargetOffset > maxFileSize, m.Length > maxFileSize,
		m.SourceOffset%clusterSize != 0, m.TargetOffset%clusterSize != 0:
		return ntstatus.InvalidParameter
	case m.Length == 0:
		return ntstatus.Success
	}
	defer lockPair(src.file, o.file)()
	from, err := src.file.obj.Attr()
	if err != nil {
		return statusOf(err)
	}
	to, err := o.file.obj.Attr()
	if err != nil {
		return statusOf(err)
	}
	srcOff, off, n := int64(m.SourceOffset), int64(m.TargetOffset), int64(m.Length)
	switch {
	case srcOff+n > from.Size && srcOff+n > up4k(from.Size):
		return ntstatus.NotSupported
	case n%clusterSize != 0 && srcOff+n != from.Size:
		return ntstatus.InvalidParameter
	case from.Attributes&fscc.AttributeSparse != 0 && to.Attributes&fscc.AttributeSparse == 0:
		return ntstatus.NotSupported
	case src.file == o.file && srcOff < off+n && off < srcOff+n:
		return ntstatus.NotSupported
	}
	// The destination does not grow. Locks are not looked at, as [MS-FSA] has it.
	if n = min(n, from.Size-srcOff, to.Size-off); n <= 0 {
		return ntstatus.Success
	}
	o.changes(off, n)
	err = o.file.obj.Clone(src.file.obj, srcOff, off, n)
	if errors.Is(err, errUnsupported) {
		err = copyRange(o.file.obj, src.file.obj, srcOff, off, n)
	}
	o.file.restamp()
	if err == nil {
		r.c.s.stats.cloned.Add(n)
		r.c.s.changed(o.file.name(), fscc.ActionModified, notifySize|notifyWrite)
	}
	return statusOf(err)
}

func up4k(v int64) int64 { return (v + clusterSize - 1) &^ (clusterSize - 1) }
