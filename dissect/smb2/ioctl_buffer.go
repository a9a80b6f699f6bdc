package smb2

import (
	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/odx"
	"github.com/odxray/odxray/dissect/wire"
)

// buffers owns one value for each control code's buffers.
type buffers struct {
	offloadReadRequest   odx.ReadRequest
	offloadWriteRequest  odx.WriteRequest
	copyChunkRequest     fscc.CopyChunkRequest
	duplicateExtents     fscc.DuplicateExtentsRequest
	duplicateExtentsEx   fscc.DuplicateExtentsExRequest
	allocatedRanges      fscc.AllocatedRangesRequest
	zeroData             fscc.ZeroDataRequest
	trim                 fscc.TrimRequest
	regions              fscc.RegionsRequest
	sparse               fscc.SparseRequest
	compression          fscc.Compression
	integrity            fscc.IntegrityRequest
	reparsePoint         fscc.ReparsePoint
	objectID             fscc.ObjectIDBuffer
	objectIDOrigin       fscc.ObjectIDOrigin
	validateRequest      ValidateNegotiateRequest
	resiliency           fscc.ResiliencyRequest
	pipeWait             fscc.PipeWaitRequest
	referral             fscc.ReferralRequest
	referralEx           fscc.ReferralExRequest
	offloadReadReply     odx.ReadReply
	offloadWriteReply    odx.WriteReply
	resumeKey            fscc.ResumeKeyReply
	copyChunkReply       fscc.CopyChunkReply
	copyChunkLimits      fscc.CopyChunkLimits
	allocatedRangesReply fscc.AllocatedRangesReply
	trimReply            fscc.TrimReply
	regionsReply         fscc.RegionsReply
	integrityReply       fscc.IntegrityReply
	snapshots            fscc.SnapshotsReply
	interfaces           fscc.InterfacesReply
	validateResponse     ValidateNegotiateResponse
	pipePeek             fscc.PipePeekReply
	referralReply        fscc.ReferralReply
}

// The calls below name concrete types because a call through Buffer would move
// the cursor to the heap.

// input decodes what a request's buffer holds.
func (d *Decoder) input(c *wire.Cursor, code fscc.Code) Buffer {
	switch code {
	case fscc.OffloadRead:
		d.offloadReadRequest.Decode(c)
		return &d.offloadReadRequest
	case fscc.OffloadWrite:
		d.offloadWriteRequest.Decode(c)
		return &d.offloadWriteRequest
	case fscc.CopyChunk, fscc.CopyChunkWrite:
		d.copyChunkRequest.Decode(c)
		return &d.copyChunkRequest
	case fscc.DuplicateExtents:
		d.duplicateExtents.Decode(c)
		return &d.duplicateExtents
	case fscc.DuplicateExtentsEx:
		d.duplicateExtentsEx.Decode(c)
		return &d.duplicateExtentsEx
	case fscc.QueryAllocatedRanges:
		d.allocatedRanges.Decode(c)
		return &d.allocatedRanges
	case fscc.SetZeroData:
		d.zeroData.Decode(c)
		return &d.zeroData
	case fscc.FileLevelTrim:
		d.trim.Decode(c)
		return &d.trim
	case fscc.QueryFileRegions:
		d.regions.Decode(c)
		return &d.regions
	case fscc.SetSparse:
		d.sparse.Decode(c)
		return &d.sparse
	case fscc.SetCompression:
		d.compression.Decode(c)
		return &d.compression
	case fscc.SetIntegrity:
		d.integrity.Decode(c)
		return &d.integrity
	case fscc.SetReparsePoint, 0x000980a4, fscc.DeleteReparsePoint, 0x000980ac:
		d.reparsePoint.Decode(c)
		return &d.reparsePoint
	case fscc.SetObjectID, 0x00098098:
		d.objectID.Decode(c)
		return &d.objectID
	case fscc.SetObjectIDExtended, 0x000980bc:
		d.objectIDOrigin.Decode(c)
		return &d.objectIDOrigin
	case fscc.ValidateNegotiate:
		d.validateRequest.Decode(c)
		return &d.validateRequest
	case fscc.RequestResiliency:
		d.resiliency.Decode(c)
		return &d.resiliency
	case fscc.PipeTransceive:
		return d.pipeData(c)
	case fscc.PipeWait:
		d.pipeWait.Decode(c)
		return &d.pipeWait
	case fscc.DFSGetReferrals:
		d.referral.Decode(c)
		return &d.referral
	case fscc.DFSGetReferralsEx:
		d.referralEx.Decode(c)
		return &d.referralEx
	}
	c.Skip(fUnknown, c.Len())
	return nil
}

// output decodes what a response's buffer holds.
func (d *Decoder) output(c *wire.Cursor, code fscc.Code) Buffer {
	if d.msg.Status == ntstatus.BufferOverflow && !cuttable(code) {
		c.Skip(fUnknown, c.Len())
		return nil
	}
	switch code {
	case fscc.OffloadRead:
		d.offloadReadReply.Decode(c)
		return &d.offloadReadReply
	case fscc.OffloadWrite:
		d.offloadWriteReply.Decode(c)
		return &d.offloadWriteReply
	case fscc.RequestResumeKey:
		d.resumeKey.Decode(c)
		return &d.resumeKey
	case fscc.CopyChunk, fscc.CopyChunkWrite:
		// "If the server returns STATUS_INVALID_PARAMETER", the three are what it would take.
		if d.msg.Status == ntstatus.InvalidParameter && c.Len() == 12 {
			d.copyChunkLimits.Decode(c)
			return &d.copyChunkLimits
		}
		d.copyChunkReply.Decode(c)
		return &d.copyChunkReply
	case fscc.QueryAllocatedRanges:
		d.allocatedRangesReply.Decode(c)
		return &d.allocatedRangesReply
	case fscc.FileLevelTrim:
		d.trimReply.Decode(c)
		return &d.trimReply
	case fscc.QueryFileRegions:
		d.regionsReply.Decode(c)
		return &d.regionsReply
	case fscc.GetCompression:
		d.compression.Decode(c)
		return &d.compression
	case fscc.GetIntegrity:
		d.integrityReply.Decode(c)
		return &d.integrityReply
	case fscc.GetReparsePoint:
		d.reparsePoint.Decode(c)
		return &d.reparsePoint
	case fscc.GetObjectID, fscc.CreateOrGetObjectID:
		d.objectID.Decode(c)
		return &d.objectID
	case fscc.EnumerateSnapshots:
		d.snapshots.Decode(c)
		return &d.snapshots
	case fscc.QueryNetworkInterfaces:
		d.interfaces.Decode(c)
		return &d.interfaces
	case fscc.ValidateNegotiate:
		d.validateResponse.Decode(c)
		return &d.validateResponse
	case fscc.PipeTransceive:
		return d.pipeData(c)
	case fscc.PipePeek:
		d.pipePeek.Decode(c)
		return &d.pipePeek
	case fscc.DFSGetReferrals, fscc.DFSGetReferralsEx:
		d.referralReply.Decode(c)
		return &d.referralReply
	}
	c.Skip(fUnknown, c.Len())
	return nil
}

// cuttable reports whether a buffer that holds only what fitted is still one of code:
// lists are cut between entries, others anywhere.
func cuttable(code fscc.Code) bool {
	switch code {
	case fscc.QueryAllocatedRanges, fscc.PipePeek, fscc.PipeTransceive:
		return true
	}
	return false
}
