package fscc

import "github.com/odxray/odxray/dissect/wire"

// IntegrityRequest sets what IntegrityReply tells. [MS-FSCC] 2.3.73
type IntegrityRequest struct {
	Checksum ChecksumAlgorithm
	Flags    uint32 // ChecksumEnforcementOff
}

// IntegrityReply tells of the checksums of a file of ReFS. [MS-FSCC] 2.3.20
type IntegrityReply struct {
	Checksum    ChecksumAlgorithm
	Flags       uint32 // ChecksumEnforcementOff
	ChunkSize   uint32 // bytes that a checksum covers
	ClusterSize uint32 // bytes
}

// ChecksumEnforcementOff is a flag of both: a wrong checksum is no error.
const ChecksumEnforcementOff = 1

// ChecksumAlgorithm is how checksums are computed. [MS-FSCC] 2.3.20
type ChecksumAlgorithm uint16

func (a ChecksumAlgorithm) String() string {
	switch a {
	case 0:
		return "CHECKSUM_TYPE_NONE"
	case 1:
		return "CHECKSUM_TYPE_CRC32"
	case 2:
		return "CHECKSUM_TYPE_CRC64"
	case 0xffff:
		return "CHECKSUM_TYPE_UNCHANGED"
	}
	return "Unknown"
}

var (
	integrity      = fields.Section("[MS-FSCC] 2.3.20, 2.3.73")
	fChecksum      = integrity.Enum("smb2.checksum_algorithm", "Checksum Algorithm", wire.Text[ChecksumAlgorithm]).InHex()
	fIntReserved   = integrity.Uint("smb2.integrity_reserved", "Reserved")
	fIntFlags      = integrity.Hex("smb2.integrity_flags", "Flags").List(integrity.Flag(ChecksumEnforcementOff, "smb2.integrity_flags_enforcement", "FSCTL_INTEGRITY_FLAG_CHECKSUM_ENFORCEMENT_OFF", "False", "True"))
	fIntChunkSize  = integrity.Uint("copy.integrity.chunk_size", "ChecksumChunkSizeInBytes")
	fIntClusterLen = integrity.Uint("copy.integrity.cluster_size", "ClusterSizeInBytes")
)

func (m *IntegrityRequest) Decode(c *wire.Cursor) {
	m.Checksum = ChecksumAlgorithm(c.U16(fChecksum))
	c.U16(fIntReserved)
	m.Flags = c.U32(fIntFlags)
}

func (m *IntegrityReply) Decode(c *wire.Cursor) {
	m.Checksum = ChecksumAlgorithm(c.U16(fChecksum))
	c.U16(fIntReserved)
	m.Flags = c.U32(fIntFlags)
	m.ChunkSize = c.U32(fIntChunkSize)
	m.ClusterSize = c.U32(fIntClusterLen)
}
