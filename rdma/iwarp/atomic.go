package iwarp

import "github.com/odxray/odxray/dissect/wire"

// The extensions of RDMAP: atomics and immediate data. They are shown, and nothing is made
// of them: SMB Direct has no use for them.

var (
	atomics        = fields.Section("[RFC7306] 5.2")
	fAtomicByte    = atomics.Uint("", "Control").Beside(fAtomicRsvd, fAtomicOp)
	fAtomicRsvd    = atomics.Uint("iwarp_rdma.atomic.reserved", "Reserved").In(0xfffffff0)
	fAtomicOp      = atomics.Enum("iwarp_rdma.atomic.opcode", "OpCode", atomicOp).In(0x0000000f)
	fIdentifier    = atomics.Uint("iwarp_rdma.atomic.request_identifier", "Request Identifier")
	fRemoteSTag    = atomics.Uint("iwarp_rdma.atomic.remote_stag", "Remote STag")
	fRemoteOffset  = atomics.Uint("iwarp_rdma.atomic.remote_tagged_offset", "Remote Tagged Offset")
	fAdd           = atomics.Uint("iwarp_rdma.atomic.add_data", "Add Data")
	fAddMask       = atomics.Hex("iwarp_rdma.atomic.add_mask", "Add Mask")
	fSwap          = atomics.Uint("iwarp_rdma.atomic.swap_data", "Swap Data")
	fSwapMask      = atomics.Hex("iwarp_rdma.atomic.swap_mask", "Swap Mask")
	fCompare       = atomics.Uint("iwarp_rdma.atomic.compare_data", "Compare Data")
	fCompareMask   = atomics.Hex("iwarp_rdma.atomic.compare_mask", "Compare Mask")
	fOriginal      = atomics.Uint("iwarp_rdma.atomic.original_request_identifier", "Original Request Identifier")
	fOriginalValue = atomics.Uint("iwarp_rdma.atomic.original_remote_data_value", "Original Remote Data Value")

	immediates = fields.Section("[RFC7306] 6")
	fImmediate = immediates.Bytes("rdma.iwarp.immediate", "Immediate Data")
)

func atomicOp(v uint64) string {
	switch v {
	case 0:
		return "FetchAdd"
	case 2:
		return "CmpSwap"
	}
	return "Unknown"
}

func atomicRequest(c *wire.Cursor) {
	op := c.BE32(fAtomicByte) & 15
	c.BE32(fIdentifier)
	c.BE32(fRemoteSTag)
	c.BE64(fRemoteOffset)
	if op == 0 {
		c.BE64(fAdd)
		c.BE64(fAddMask)
	} else {
		c.BE64(fSwap)
		c.BE64(fSwapMask)
	}
	c.BE64(fCompare)
	c.BE64(fCompareMask)
}
