package server

import (
	"github.com/odxray/odxray/dissect/dtyp"
	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/odx"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
)

// ioctl serves IOCTL. [MS-SMB2] 3.3.5.15
func (r *request) ioctl(m *smb2.IoctlRequest) status {
	if m.Flags&1 == 0 {
		return ntstatus.NotSupported
	}
	if !r.charged(max(m.InputCount, m.MaxOutput, m.MaxInput)) || m.OutputCount > r.c.maxSize {
		return ntstatus.InvalidParameter
	}
	r.detail = " " + m.Function.String()
	out, st := r.control(m)
	if st == errHangUp {
		return st
	}
	if st == ntstatus.Success && uint32(len(out)) > m.MaxOutput {
		out, st = nil, ntstatus.BufferTooSmall
	}
	if st.IsError() && out == nil {
		return st
	}
	r.body = (&smb2.IoctlResponse{Function: m.Function, File: m.File}).Append(nil, out)
	return st
}

// control serves a control code. An answer beside an error is sent with it.
func (r *request) control(m *smb2.IoctlRequest) (out []byte, _ status) {
	switch m.Function {
	case fscc.ValidateNegotiate, fscc.QueryNetworkInterfaces, fscc.DFSGetReferrals, fscc.DFSGetReferralsEx, fscc.PipeWait:
		if !allOnes(m.File) { // they are about no file
			return nil, ntstatus.InvalidParameter
		}
	}
	switch m.Function {
	case fscc.ValidateNegotiate:
		return r.validateNegotiate(m.InputData, m.MaxOutput)
	case fscc.QueryNetworkInterfaces:
		return r.interfaces(), ntstatus.Success
	case fscc.DFSGetReferrals, fscc.DFSGetReferralsEx:
		return nil, ntstatus.NotFound
	case fscc.PipeWait:
		return nil, ntstatus.Success
	}
	o, st := r.find(m.File)
	if st != ntstatus.Success {
		return nil, st
	}
	if m.Function == fscc.PipeTransceive {
		return r.transceive(o, m)
	}
	if o.file == nil {
		return nil, ntstatus.InvalidDeviceRequest
	}
	if m.Function == fscc.RequestResumeKey {
		if m.MaxOutput < 32 {
			return nil, ntstatus.BufferTooSmall
		}
		return (&fscc.ResumeKeyReply{Key: o.resumeKey}).Append(nil), ntstatus.Success
	}
	// A short buffer has failed already: what Input holds was decoded whole, or is nil.
	switch in := m.Input.(type) {
	case *odx.ReadRequest:
		return r.offloadRead(o, in, m.MaxOutput)
	case *odx.WriteRequest:
		return r.offloadWrite(o, in, m.MaxOutput)
	case *fscc.CopyChunkRequest:
		return r.copyChunk(o, in, m.MaxOutput, m.Function == fscc.CopyChunk)
	case *fscc.DuplicateExtentsRequest:
		return nil, r.duplicateExtents(o, in)
	case *fscc.DuplicateExtentsExRequest:
		if in.Size != 48 {
			return nil, ntstatus.InvalidParameter
		}
		return nil, r.duplicateExtents(o, &in.DuplicateExtentsRequest)
	case *fscc.AllocatedRangesRequest:
		return o.allocatedRanges(in.Range, m.MaxOutput)
	case *fscc.ZeroDataRequest:
		return nil, o.zeroData(in)
	case *fscc.TrimRequest:
		return o.trim(in, m.MaxOutput)
	case *fscc.ResiliencyRequest:
		return nil, r.requestResiliency(o, in)
	case *fscc.Compression:
		if in.Format != 0 {
			return nil, ntstatus.NotSupported
		}
		return nil, ntstatus.Success
	}
	switch m.Function {
	case fscc.SetSparse:
		return nil, o.setSparse(m.InputData)
	case fscc.GetCompression:
		return new(fscc.Compression).Append(nil), ntstatus.Success
	case fscc.CreateOrGetObjectID, fscc.GetObjectID:
		var id fscc.ObjectIDBuffer
		copy(id.ID[:], wire.AppendU64(wire.AppendU64(nil, o.file.key.File), o.file.key.Volume))
		return id.Append(nil), ntstatus.Success
	case fscc.GetReparsePoint:
		return nil, statusNotReparsePoint
	case fscc.OffloadRead, fscc.OffloadWrite, fscc.CopyChunk, fscc.CopyChunkWrite, fscc.DuplicateExtents, fscc.DuplicateExtentsEx,
		fscc.QueryAllocatedRanges, fscc.SetZeroData, fscc.FileLevelTrim, fscc.SetCompression, fscc.RequestResiliency:
		return nil, ntstatus.InvalidParameter // without a buffer
	}
	return nil, ntstatus.InvalidDeviceRequest
}

// setSparse serves FSCTL_SET_SPARSE; without a buffer it means yes. [MS-FSCC] 2.3.83
func (o *open) setSparse(in []byte) status {
	if o.file.directory {
		return ntstatus.InvalidParameter
	}
	if st := o.needs(dtyp.WriteData | dtyp.AppendData | dtyp.WriteAttributes); st != ntstatus.Success {
		return st
	}
	a, err := o.file.obj.Attr()
	if err != nil {
		return statusOf(err)
	}
	attr := a.Attributes | fscc.AttributeSparse
	if len(in) > 0 && in[0] == 0 {
		attr = a.Attributes &^ fscc.AttributeSparse
	}
	if attr == 0 {
		attr = fscc.AttributeNormal
	}
	if err := o.file.obj.SetAttr(Attr{Attributes: attr}); err != nil {
		return statusOf(err)
	}
	o.s.changed(o.file.name(), fscc.ActionModified, notifyAttributes)
	return ntstatus.Success
}

// zeroData serves FSCTL_SET_ZERO_DATA. [MS-FSCC] 2.3.85
func (o *open) zeroData(m *fscc.ZeroDataRequest) status {
	if o.file.directory || m.Beyond < m.Offset || m.Beyond > 1<<63-1 {
		return ntstatus.InvalidParameter
	}
	if st := o.needs(dtyp.WriteData); st != ntstatus.Success {
		return st
	}
	a, err := o.file.obj.Attr()
	if err != nil {
		return statusOf(err)
	}
	off := int64(m.Offset)
	n := min(int64(m.Beyond), a.Size) - off
	if n <= 0 {
		return ntstatus.Success
	}
	if o.file.locked(o, m.Offset, uint64(n), true) {
		return ntstatus.FileLockConflict
	}
	o.writing(off, n)
	err = o.file.obj.Zero(off, n)
	o.wrote()
	o.s.changed(o.file.name(), fscc.ActionModified, notifyWrite)
	return statusOf(err)
}

// allocatedRanges serves FSCTL_QUERY_ALLOCATED_RANGES: as many ranges as fit.
// [MS-FSCC] 2.3.51
func (o *open) allocatedRanges(m fscc.Range, most uint32) ([]byte, status) {
	if o.file.directory || m.Offset > 1<<63-1 || m.Length > 1<<63-1-m.Offset {
		return nil, ntstatus.InvalidParameter
	}
	if st := o.needs(dtyp.ReadData); st != ntstatus.Success {
		return nil, st
	}
	a, err := o.file.obj.Attr()
	if err != nil {
		return nil, statusOf(err)
	}
	out := []byte{}
	off, end := int64(m.Offset), int64(min(m.Offset+m.Length, uint64(a.Size)))
	for off < end {
		from, to, err := off, end, error(nil)
		if a.Attributes&fscc.AttributeSparse != 0 { // what is not sparse is allocated
			from, to, err = o.file.obj.Allocated(off)
		}
		if err != nil {
			return nil, statusOf(err)
		}
		if to = min(to, end); from >= to {
			break
		}
		if len(out)+16 > int(min(most, 1<<20)) {
			if len(out) == 0 {
				return nil, ntstatus.BufferTooSmall
			}
			return out, ntstatus.BufferOverflow
		}
		out = fscc.Range{Offset: uint64(from), Length: uint64(to - from)}.Append(out)
		off = to
	}
	return out, ntstatus.Success
}

// trim serves FSCTL_FILE_LEVEL_TRIM, which is advice: it is read and thanked for.
// [MS-FSCC] 2.3.13
func (o *open) trim(m *fscc.TrimRequest, most uint32) ([]byte, status) {
	if o.file.directory || m.Key != 0 || m.Count == 0 || m.Ranges.Len() != int(m.Count) {
		return nil, ntstatus.InvalidParameter
	}
	if st := o.needs(dtyp.WriteData); st != ntstatus.Success {
		return nil, st
	}
	if most < 4 {
		return nil, ntstatus.Success
	}
	return (&fscc.TrimReply{Processed: m.Count}).Append(nil), ntstatus.Success
}
