package odx

import "github.com/odxray/odxray/dissect/wire"

// Append appends the reply; its Token is written from Raw, which is 512 bytes.
func (m *ReadReply) Append(b []byte) []byte {
	b = wire.AppendU32(b, m.Size)
	b = wire.AppendU32(b, m.Flags)
	b = wire.AppendU64(b, m.TransferLength)
	return append(b, m.Token.Raw...)
}

// Append appends the reply.
func (m *WriteReply) Append(b []byte) []byte {
	b = wire.AppendU32(b, m.Size)
	b = wire.AppendU32(b, m.Flags)
	return wire.AppendU64(b, m.LengthWritten)
}
