package odx

import "github.com/odxray/odxray/dissect/wire"

// Sizes of the requests, which their Size says.
const (
	ReadRequestSize  = 32
	WriteRequestSize = 544
)

// Append appends the request.
func (m *ReadRequest) Append(b []byte) []byte {
	b = wire.AppendU32(b, m.Size)
	b = wire.AppendU32(b, m.Flags)
	b = wire.AppendU32(b, m.TTL)
	b = wire.AppendU32(b, 0)
	b = wire.AppendU64(b, m.FileOffset)
	return wire.AppendU64(b, m.CopyLength)
}

// Append appends the request; its Token is written from Raw, which is 512 bytes.
func (m *WriteRequest) Append(b []byte) []byte {
	b = wire.AppendU32(b, m.Size)
	b = wire.AppendU32(b, m.Flags)
	b = wire.AppendU64(b, m.FileOffset)
	b = wire.AppendU64(b, m.CopyLength)
	b = wire.AppendU64(b, m.TransferOffset)
	return append(b, m.Token.Raw...)
}
