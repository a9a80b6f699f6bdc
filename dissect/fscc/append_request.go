package fscc

import "github.com/odxray/odxray/dissect/wire"

// Append appends a chunk.
func (s Chunks) Append(k Chunk) Chunks {
	s = wire.AppendU64(s, k.Source)
	s = wire.AppendU64(s, k.Target)
	s = wire.AppendU32(s, k.Length)
	return wire.AppendU32(s, 0)
}

// Append appends the request with all its Chunks, and their number for Count.
func (m *CopyChunkRequest) Append(b []byte) []byte {
	b = append(b, m.Source[:]...)
	b = wire.AppendU32(b, uint32(m.Chunks.Len()))
	b = wire.AppendU32(b, 0)
	return append(b, m.Chunks...)
}

// Append appends the request.
func (m *DuplicateExtentsRequest) Append(b []byte) []byte {
	b = append(b, m.Source[:]...)
	b = wire.AppendU64(b, m.SourceOffset)
	b = wire.AppendU64(b, m.TargetOffset)
	return wire.AppendU64(b, m.Length)
}

// Append appends the request, padded to 8 bytes.
func (m *DuplicateExtentsExRequest) Append(b []byte) []byte {
	b = wire.AppendU64(b, m.Size)
	b = m.DuplicateExtentsRequest.Append(b)
	b = wire.AppendU32(b, m.Flags)
	return wire.AppendU32(b, 0)
}

// Append appends the request.
func (m *ZeroDataRequest) Append(b []byte) []byte {
	return wire.AppendU64(wire.AppendU64(b, m.Offset), m.Beyond)
}
