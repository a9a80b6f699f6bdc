package fscc

import "github.com/odxray/odxray/dissect/wire"

// What a server answers to control codes. Append appends what Decode reads.

// Append appends the key and a context of no bytes. The specification has 4 bytes of
// Context behind ContextLength all the same. [MS-SMB2] 2.2.32.3
func (m *ResumeKeyReply) Append(b []byte) []byte {
	return wire.AppendZeros(append(b, m.Key[:]...), 8)
}

func (m *CopyChunkReply) Append(b []byte) []byte {
	return wire.AppendU32(wire.AppendU32(wire.AppendU32(b, m.Chunks), m.ChunkBytes), m.TotalBytes)
}

func (m *CopyChunkLimits) Append(b []byte) []byte {
	return wire.AppendU32(wire.AppendU32(wire.AppendU32(b, m.Chunks), m.ChunkBytes), m.TotalBytes)
}

// Append appends the range.
func (r Range) Append(b []byte) []byte {
	return wire.AppendU64(wire.AppendU64(b, r.Offset), r.Length)
}

func (m *TrimReply) Append(b []byte) []byte { return wire.AppendU32(b, m.Processed) }

func (m *IntegrityReply) Append(b []byte) []byte {
	b = wire.AppendU32(b, uint32(m.Checksum))
	b = wire.AppendU32(b, m.Flags)
	return wire.AppendU32(wire.AppendU32(b, m.ChunkSize), m.ClusterSize)
}

func (m *Compression) Append(b []byte) []byte { return wire.AppendU16(b, uint16(m.Format)) }

func (m *ObjectIDBuffer) Append(b []byte) []byte {
	b = append(b, m.ID[:]...)
	b = append(b, m.BirthVolume[:]...)
	b = append(b, m.BirthObject[:]...)
	return append(b, m.Domain[:]...)
}

// AppendInterfaces appends a chain of NETWORK_INTERFACE_INFO; Next follows from where
// each lies. [MS-SMB2] 2.2.32.5
func AppendInterfaces(b []byte, list []Interface) []byte {
	const size = 152
	for i, m := range list {
		next := uint32(size)
		if i == len(list)-1 {
			next = 0
		}
		end := len(b) + size
		b = wire.AppendU32(b, next)
		b = wire.AppendU32(b, m.Index)
		b = wire.AppendU32(b, m.Capabilities)
		b = wire.AppendU32(b, m.RSSQueues)
		b = wire.AppendU64(b, m.LinkSpeed)
		if a := m.Address.Addr().Unmap(); a.Is4() {
			b = wire.AppendBE16(wire.AppendU16(b, familyIPv4), m.Address.Port())
			b = append(b, a.AsSlice()...)
		} else {
			b = wire.AppendBE16(wire.AppendU16(b, familyIPv6), m.Address.Port())
			b = append(wire.AppendU32(b, 0), a.AsSlice()...)
		}
		b = wire.AppendZeros(b, end-len(b))
	}
	return b
}
