package smb2

import "github.com/odxray/odxray/dissect/wire"

// HeaderSize is the size of a header in bytes.
const HeaderSize = headerSize

// Append appends the header. Without a Signature of 16 bytes there is none.
func (h *Header) Append(b []byte) []byte {
	b = append(b, "\xfeSMB"...)
	b = wire.AppendU16(b, headerSize)
	b = wire.AppendU16(b, h.CreditCharge)
	if h.Flags&FlagResponse != 0 {
		b = wire.AppendU32(b, uint32(h.Status))
	} else {
		b = wire.AppendU32(b, uint32(h.ChannelSequence))
	}
	b = wire.AppendU16(b, uint16(h.Command))
	b = wire.AppendU16(b, h.Credits)
	b = wire.AppendU32(b, uint32(h.Flags))
	b = wire.AppendU32(b, h.NextCommand)
	b = wire.AppendU64(b, h.MessageID)
	if h.Flags&FlagAsync != 0 {
		b = wire.AppendU64(b, h.AsyncID)
	} else {
		b = wire.AppendU32(b, 0xfeff)
		b = wire.AppendU32(b, h.TreeID)
	}
	b = wire.AppendU64(b, h.SessionID)
	if len(h.Signature) == 16 {
		return append(b, h.Signature...)
	}
	return wire.AppendZeros(b, 16)
}
