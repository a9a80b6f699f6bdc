package smb2

import "github.com/odxray/odxray/dissect/wire"

// Append for every request. Lengths and offsets come from what is there, not from the
// fields that decoding sets: DataOffset, Count and their like.

// behind is bodyOffset in 16 bits.
func behind(n int) uint16 { return uint16(bodyOffset(n)) }

func (m *NegotiateRequest) Append(b []byte) []byte {
	start := len(b)
	b = wire.AppendU16(b, 36)
	b = wire.AppendU16(b, uint16(m.Dialects.Len()))
	b = wire.AppendU16(b, uint16(m.SecurityMode))
	b = wire.AppendU16(b, 0)
	b = wire.AppendU32(b, uint32(m.Capabilities))
	b = append(b, m.ClientGUID[:]...)
	b = wire.AppendU64(b, m.StartTime)
	b = append(b, m.Dialects...)
	if m.Dialects.Has(uint16(Dialect311)) {
		var off uint32
		var count uint16
		b, off, count = m.NegotiateContexts.Append(b, start)
		if count > 0 {
			off += headerSize
		}
		wire.PutU32(b[start+28:], off)
		wire.PutU32(b[start+32:], uint32(count))
	}
	return b
}

func (m *SessionSetupRequest) Append(b []byte) []byte {
	b = wire.AppendU16(b, 25)
	b = append(b, m.Flags, byte(m.SecurityMode))
	b = wire.AppendU32(b, uint32(m.Capabilities))
	b = wire.AppendU32(b, m.Channel)
	b = wire.AppendU16(b, behind(24))
	b = wire.AppendU16(b, uint16(len(m.SecurityBlob)))
	b = wire.AppendU64(b, m.PreviousSessionID)
	return append(b, m.SecurityBlob...)
}

func (*LogoffRequest) Append(b []byte) []byte         { return appendEmpty(b) }
func (*TreeDisconnectRequest) Append(b []byte) []byte { return appendEmpty(b) }
func (*EchoRequest) Append(b []byte) []byte           { return appendEmpty(b) }
func (*CancelRequest) Append(b []byte) []byte         { return appendEmpty(b) }

// Append leaves out the contexts of TreeConnectExtension, and that flag.
func (m *TreeConnectRequest) Append(b []byte) []byte {
	b = wire.AppendU16(b, 9)
	b = wire.AppendU16(b, m.Flags&^TreeConnectExtension)
	b = wire.AppendU16(b, behind(8))
	b = wire.AppendU16(b, uint16(len(m.Path)))
	return append(b, m.Path...)
}

func (m *CreateRequest) Append(b []byte) []byte {
	start := len(b)
	b = wire.AppendU16(b, 57)
	b = append(b, 0, byte(m.OplockLevel))
	b = wire.AppendU32(b, uint32(m.Impersonation))
	b = wire.AppendU64(b, m.Flags)
	b = wire.AppendU64(b, 0)
	b = wire.AppendU32(b, uint32(m.DesiredAccess))
	b = wire.AppendU32(b, uint32(m.FileAttributes))
	b = wire.AppendU32(b, uint32(m.ShareAccess))
	b = wire.AppendU32(b, uint32(m.Disposition))
	b = wire.AppendU32(b, uint32(m.Options))
	b = wire.AppendU16(b, behind(56))
	b = wire.AppendU16(b, uint16(len(m.Name)))
	b = wire.AppendU64(b, 0)
	b = append(b, m.Name...)
	if len(m.List) > 0 {
		b = wire.Align(b, start, 8)
		wire.PutU32(b[start+48:], uint32(headerSize+len(b)-start))
		wire.PutU32(b[start+52:], uint32(len(m.List)))
		b = append(b, m.List...)
	}
	// "The size of the buffer must be at least one byte", and servers hold clients to it.
	if len(m.Name)+len(m.List) == 0 {
		b = append(b, 0)
	}
	return b
}

func (m *CloseRequest) Append(b []byte) []byte {
	b = wire.AppendU16(b, 24)
	b = wire.AppendU16(b, m.Flags)
	b = wire.AppendU32(b, 0)
	return append(b, m.File[:]...)
}

func (m *FlushRequest) Append(b []byte) []byte {
	return append(wire.AppendZeros(wire.AppendU16(b, 24), 6), m.File[:]...)
}

// Append sends no RDMA transform; Descriptors go as they are.
func (m *ReadRequest) Append(b []byte) []byte {
	b = wire.AppendU16(b, 49)
	b = append(b, m.Padding, m.Flags)
	b = wire.AppendU32(b, m.Length)
	b = wire.AppendU64(b, m.Offset)
	b = append(b, m.File[:]...)
	b = wire.AppendU32(b, m.MinimumCount)
	b = wire.AppendU32(b, uint32(m.Channel))
	b = wire.AppendU32(b, m.RemainingBytes)
	if len(m.Descriptors) == 0 {
		return append(wire.AppendU32(b, 0), 0) // the buffer is one byte at least
	}
	b = wire.AppendU16(b, behind(48))
	b = wire.AppendU16(b, uint16(len(m.Descriptors)))
	return append(b, m.Descriptors...)
}

// Append sends no RDMA transform; Descriptors go as they are.
func (m *WriteRequest) Append(b []byte) []byte {
	b = wire.AppendU16(b, 49)
	b = wire.AppendU16(b, behind(48)+uint16(len(m.Descriptors)))
	b = wire.AppendU32(b, uint32(len(m.Data)))
	b = wire.AppendU64(b, m.Offset)
	b = append(b, m.File[:]...)
	b = wire.AppendU32(b, uint32(m.Channel))
	b = wire.AppendU32(b, m.RemainingBytes)
	if len(m.Descriptors) > 0 {
		b = wire.AppendU16(b, behind(48))
		b = wire.AppendU16(b, uint16(len(m.Descriptors)))
	} else {
		b = wire.AppendU32(b, 0)
	}
	b = wire.AppendU32(b, m.Flags)
	b = append(append(b, m.Descriptors...), m.Data...)
	if len(m.Descriptors)+len(m.Data) == 0 {
		b = append(b, 0)
	}
	return b
}

func (m *LockRequest) Append(b []byte) []byte {
	b = wire.AppendU16(b, 48)
	b = wire.AppendU16(b, uint16(m.Locks.Len()))
	b = wire.AppendU32(b, m.Sequence)
	b = append(b, m.File[:]...)
	return append(b, m.Locks...)
}

func (m *IoctlRequest) Append(b []byte) []byte {
	start := len(b)
	b = wire.AppendU32(b, 57)
	b = wire.AppendU32(b, uint32(m.Function))
	b = append(b, m.File[:]...)
	b = wire.AppendU32(b, uint32(behind(56)))
	b = wire.AppendU32(b, uint32(len(m.InputData)))
	b = wire.AppendU32(b, m.MaxInput)
	out := len(b)
	b = wire.AppendU64(b, 0)
	b = wire.AppendU32(b, m.MaxOutput)
	b = wire.AppendU32(b, m.Flags)
	b = wire.AppendU32(b, 0)
	b = append(b, m.InputData...)
	if len(m.OutputData) > 0 {
		b = wire.Align(b, start, 8)
		wire.PutU32(b[out:], uint32(headerSize+len(b)-start))
		wire.PutU32(b[out+4:], uint32(len(m.OutputData)))
		b = append(b, m.OutputData...)
	}
	return b
}

func (m *QueryDirectoryRequest) Append(b []byte) []byte {
	b = wire.AppendU16(b, 33)
	b = append(b, byte(m.Class), byte(m.Flags))
	b = wire.AppendU32(b, m.FileIndex)
	b = append(b, m.File[:]...)
	b = wire.AppendU16(b, behind(32))
	b = wire.AppendU16(b, uint16(len(m.Pattern)))
	b = wire.AppendU32(b, m.OutputLength)
	return append(b, m.Pattern...)
}

func (m *ChangeNotifyRequest) Append(b []byte) []byte {
	b = wire.AppendU16(b, 32)
	b = wire.AppendU16(b, m.Flags)
	b = wire.AppendU32(b, m.OutputLength)
	b = append(b, m.File[:]...)
	b = wire.AppendU32(b, uint32(m.Filter))
	return wire.AppendU32(b, 0)
}

func (m *QueryInfoRequest) Append(b []byte) []byte {
	b = wire.AppendU16(b, 41)
	b = append(b, byte(m.Type), m.Class)
	b = wire.AppendU32(b, m.OutputLength)
	if len(m.InputData) > 0 {
		b = wire.AppendU16(b, behind(40))
	} else {
		b = wire.AppendU16(b, 0)
	}
	b = wire.AppendU16(b, 0)
	b = wire.AppendU32(b, uint32(len(m.InputData)))
	b = wire.AppendU32(b, uint32(m.Additional))
	b = wire.AppendU32(b, m.Flags)
	b = append(b, m.File[:]...)
	return append(b, m.InputData...)
}

func (m *SetInfoRequest) Append(b []byte) []byte {
	b = wire.AppendU16(b, 33)
	b = append(b, byte(m.Type), m.Class)
	b = wire.AppendU32(b, uint32(len(m.Data)))
	b = wire.AppendU16(b, behind(32))
	b = wire.AppendU16(b, 0)
	b = wire.AppendU32(b, uint32(m.Additional))
	b = append(b, m.File[:]...)
	return append(b, m.Data...)
}

func (m *OplockBreakAcknowledgment) Append(b []byte) []byte {
	b = wire.AppendU16(b, oplockBreakSize)
	b = append(b, byte(m.OplockLevel), 0, 0, 0, 0, 0)
	return append(b, m.File[:]...)
}

func (m *LeaseBreakAcknowledgment) Append(b []byte) []byte {
	b = wire.AppendU32(b, leaseBreakSize)
	b = wire.AppendU32(b, m.Flags)
	b = append(b, m.Key[:]...)
	b = wire.AppendU32(b, uint32(m.State))
	return wire.AppendU64(b, 0)
}

// Append appends the buffer of FSCTL_VALIDATE_NEGOTIATE_INFO.
func (m *ValidateNegotiateRequest) Append(b []byte) []byte {
	b = wire.AppendU32(b, uint32(m.Capabilities))
	b = append(b, m.ClientGUID[:]...)
	b = wire.AppendU16(b, uint16(m.SecurityMode))
	b = wire.AppendU16(b, uint16(m.Dialects.Len()))
	return append(b, m.Dialects...)
}
