package smb2

import (
	"github.com/odxray/odxray/dissect/wire"
)

// What a server sends. Append appends the body of a response to b, which ends with the
// header that it belongs to: offsets count from there.

// bodyOffset is the offset of what comes n bytes after the beginning of a body.
func bodyOffset(n int) uint32 { return uint32(headerSize + n) }

// appendEmpty appends the body of a message that says nothing.
func appendEmpty(b []byte) []byte { return wire.AppendU16(wire.AppendU16(b, 4), 0) }

// Append appends the body. Contexts of dialect 3.1.1 are those that m has; each list
// holds what the server chose.
func (m *NegotiateResponse) Append(b []byte) []byte {
	start := len(b)
	b = wire.AppendU16(b, 65)
	b = wire.AppendU16(b, uint16(m.SecurityMode))
	b = wire.AppendU16(b, uint16(m.Dialect))
	count := len(b)
	b = wire.AppendU16(b, 0)
	b = append(b, m.ServerGUID[:]...)
	b = wire.AppendU32(b, uint32(m.Capabilities))
	b = wire.AppendU32(b, m.MaxTransactSize)
	b = wire.AppendU32(b, m.MaxReadSize)
	b = wire.AppendU32(b, m.MaxWriteSize)
	b = wire.AppendU64(b, m.SystemTime)
	b = wire.AppendU64(b, m.StartTime)
	b = wire.AppendU16(b, uint16(bodyOffset(64)))
	b = wire.AppendU16(b, uint16(len(m.SecurityBlob)))
	behind := len(b)
	b = wire.AppendU32(b, 0)
	b = append(b, m.SecurityBlob...)
	if m.Dialect != Dialect311 {
		return b
	}
	b = wire.Align(b, start, 8)
	wire.PutU32(b[behind:], bodyOffset(len(b)-start))
	n := uint16(0)
	context := func(t NegotiateType, data []byte) {
		b = wire.Align(b, start, 8)
		b = wire.AppendU16(b, uint16(t))
		b = wire.AppendU16(b, uint16(len(data)))
		b = wire.AppendU32(b, 0)
		b = append(b, data...)
		n++
	}
	list := func(l List16) []byte { return append(wire.AppendU16(nil, uint16(l.Len())), l...) }
	if m.Hashes != nil {
		d := wire.AppendU16(wire.AppendU16(nil, uint16(m.Hashes.Len())), uint16(len(m.Salt)))
		context(NegotiatePreauth, append(append(d, m.Hashes...), m.Salt...))
	}
	if m.Ciphers != nil {
		context(NegotiateEncryption, list(m.Ciphers))
	}
	if m.Signings != nil {
		context(NegotiateSigning, list(m.Signings))
	}
	wire.PutU16(b[count:], n)
	return b
}

// Codes makes a List16.
func Codes[T ~uint16](codes ...T) (l List16) {
	for _, c := range codes {
		l = wire.AppendU16(l, uint16(c))
	}
	return l
}

// Append appends the body.
func (m *SessionSetupResponse) Append(b []byte) []byte {
	b = wire.AppendU16(b, 9)
	b = wire.AppendU16(b, uint16(m.Flags))
	b = wire.AppendU16(b, uint16(bodyOffset(8)))
	b = wire.AppendU16(b, uint16(len(m.SecurityBlob)))
	return append(b, m.SecurityBlob...)
}

// Append appends the body.
func (m *LogoffResponse) Append(b []byte) []byte { return appendEmpty(b) }

// Append appends the body.
func (m *TreeConnectResponse) Append(b []byte) []byte {
	b = wire.AppendU16(b, 16)
	b = append(b, byte(m.ShareType), 0)
	b = wire.AppendU32(b, m.ShareFlags)
	b = wire.AppendU32(b, m.Capabilities)
	return wire.AppendU32(b, uint32(m.MaximalAccess))
}

// Append appends the body.
func (m *TreeDisconnectResponse) Append(b []byte) []byte { return appendEmpty(b) }

func (t *Times) append(b []byte) []byte {
	b = wire.AppendU64(b, t.Creation)
	b = wire.AppendU64(b, t.LastAccess)
	b = wire.AppendU64(b, t.LastWrite)
	return wire.AppendU64(b, t.Change)
}

// Append appends the body with the contexts that m.Contexts names and that a server of
// files sends: MxAc, QFid, leases and durable handles of both versions.
func (m *CreateResponse) Append(b []byte) []byte {
	start := len(b)
	b = wire.AppendU16(b, 89)
	b = append(b, byte(m.OplockLevel), m.Flags)
	b = wire.AppendU32(b, uint32(m.Action))
	b = m.Times.append(b)
	b = wire.AppendU64(b, m.AllocationSize)
	b = wire.AppendU64(b, m.EndOfFile)
	b = wire.AppendU32(b, uint32(m.Attributes))
	b = wire.AppendU32(b, 0)
	b = append(b, m.File[:]...)
	pair := len(b)
	b = wire.AppendZeros(b, 8)
	first, last := len(b), -1
	context := func(id Contexts, data func([]byte) []byte) {
		if !m.Contexts.Has(id) {
			return
		}
		b = wire.Align(b, start, 8)
		if last >= 0 {
			wire.PutU32(b[last:], uint32(len(b)-last))
		}
		last = len(b)
		b = wire.AppendU32(b, 0)
		b = wire.AppendU16(b, 16) // the name's offset, then its length
		b = wire.AppendU16(b, 4)
		b = wire.AppendU16(b, 0)  // reserved
		b = wire.AppendU16(b, 24) // the data's offset, then its length
		size := len(b)
		b = wire.AppendU32(b, 0)
		b = append(b, id.tag()...)
		b = wire.AppendZeros(b, 4)
		b = data(b)
		wire.PutU32(b[size:], uint32(len(b)-size-12))
	}
	context(ContextMaximalAccess, func(b []byte) []byte {
		return wire.AppendU32(wire.AppendU32(b, uint32(m.QueryStatus)), uint32(m.MaximalAccess))
	})
	context(ContextDiskID, func(b []byte) []byte {
		return wire.AppendZeros(wire.AppendU64(wire.AppendU64(b, m.DiskFileID), m.VolumeID), 16)
	})
	context(ContextLease, m.Lease.append)
	context(ContextDurable, func(b []byte) []byte { return wire.AppendZeros(b, 8) })
	context(ContextDurableV2, func(b []byte) []byte {
		return wire.AppendU32(wire.AppendU32(b, m.Durable.Timeout), m.Durable.Flags)
	})
	if last >= 0 {
		wire.PutU32(b[pair:], bodyOffset(first-start))
		wire.PutU32(b[pair+4:], uint32(len(b)-first))
	}
	return b
}

// tag is the name of one context.
func (s Contexts) tag() string {
	for i := range contextNames {
		if s == 1<<i {
			return contextNames[i].tag
		}
	}
	return ""
}

func (l *Lease) append(b []byte) []byte {
	b = append(b, l.Key[:]...)
	b = wire.AppendU32(b, uint32(l.State))
	b = wire.AppendU32(b, l.Flags)
	b = wire.AppendU64(b, 0)
	if l.Version2 {
		b = append(b, l.ParentKey[:]...)
		b = wire.AppendU16(b, l.Epoch)
		b = wire.AppendU16(b, 0)
	}
	return b
}

// Append appends the body.
func (m *CloseResponse) Append(b []byte) []byte {
	b = wire.AppendU16(b, 60)
	b = wire.AppendU16(b, m.Flags)
	b = wire.AppendU32(b, 0)
	b = m.Times.append(b)
	b = wire.AppendU64(b, m.AllocationSize)
	b = wire.AppendU64(b, m.EndOfFile)
	return wire.AppendU32(b, uint32(m.Attributes))
}

// Append appends the body.
func (m *FlushResponse) Append(b []byte) []byte { return appendEmpty(b) }

// Append appends the body. Offset and length are those of Data.
func (m *ReadResponse) Append(b []byte) []byte {
	b = wire.AppendU16(b, 17)
	b = append(b, byte(bodyOffset(16)), 0)
	b = wire.AppendU32(b, uint32(len(m.Data)))
	b = wire.AppendU32(b, m.DataRemaining)
	b = wire.AppendU32(b, m.Flags)
	return append(b, m.Data...)
}

// Append appends the body.
func (m *WriteResponse) Append(b []byte) []byte {
	b = wire.AppendU32(b, 17)
	b = wire.AppendU32(b, m.Count)
	b = wire.AppendU32(b, m.Remaining)
	return wire.AppendU32(b, 0)
}

// Append appends the body.
func (m *LockResponse) Append(b []byte) []byte { return appendEmpty(b) }

// Append appends the body with output as the buffer that comes back; the offsets and
// lengths of m follow from it.
func (m *IoctlResponse) Append(b, output []byte) []byte {
	b = wire.AppendU32(b, 49)
	b = wire.AppendU32(b, uint32(m.Function))
	b = append(b, m.File[:]...)
	b = wire.AppendU32(b, bodyOffset(48))
	b = wire.AppendU32(b, 0)
	b = wire.AppendU32(b, bodyOffset(48))
	b = wire.AppendU32(b, uint32(len(output)))
	b = wire.AppendU32(b, m.Flags)
	b = wire.AppendU32(b, 0)
	return append(b, output...)
}

// Append appends the body.
func (m *EchoResponse) Append(b []byte) []byte { return appendEmpty(b) }

// AppendOutput appends the body that QUERY_DIRECTORY, CHANGE_NOTIFY and QUERY_INFO
// responses share: one buffer. [MS-SMB2] 2.2.34, 2.2.36, 2.2.38
func AppendOutput(b, output []byte) []byte {
	b = wire.AppendU16(b, 9)
	b = wire.AppendU16(b, uint16(bodyOffset(8)))
	b = wire.AppendU32(b, uint32(len(output)))
	return append(b, output...)
}

// Append appends the body.
func (m *SetInfoResponse) Append(b []byte) []byte { return wire.AppendU16(b, 2) }

// Append appends the body.
func (m *OplockBreakNotification) Append(b []byte) []byte {
	return appendBreak(b, m.OplockLevel, m.File)
}

// Append appends the body.
func (m *OplockBreakResponse) Append(b []byte) []byte { return appendBreak(b, m.OplockLevel, m.File) }

func appendBreak(b []byte, l OplockLevel, id FileID) []byte {
	b = wire.AppendU16(b, 24)
	b = append(b, byte(l))
	b = wire.AppendZeros(b, 5)
	return append(b, id[:]...)
}

// Append appends the body.
func (m *LeaseBreakNotification) Append(b []byte) []byte {
	b = wire.AppendU16(b, 44)
	b = wire.AppendU16(b, m.Epoch)
	b = wire.AppendU32(b, m.Flags)
	b = append(b, m.Key[:]...)
	b = wire.AppendU32(b, uint32(m.Current))
	b = wire.AppendU32(b, uint32(m.New))
	b = wire.AppendU32(b, m.Reason)
	b = wire.AppendU32(b, m.Access)
	return wire.AppendU32(b, m.Share)
}

// Append appends the body.
func (m *LeaseBreakResponse) Append(b []byte) []byte {
	b = wire.AppendU32(b, 36)
	b = wire.AppendU32(b, m.Flags)
	b = append(b, m.Key[:]...)
	b = wire.AppendU32(b, uint32(m.State))
	return wire.AppendU64(b, 0)
}

// Append appends the body with m.Data, which without any is one byte all the same:
// "If the ByteCount field is zero, the server MUST supply an ErrorData field that is
// one byte in length". With a ContextCount, Data is wrapped in the one context of
// dialect 3.1.1 that has no id of its own.
func (m *ErrorResponse) Append(b []byte) []byte {
	data := m.Data
	if m.ContextCount > 0 {
		data = wire.AppendU32(nil, uint32(len(m.Data)))
		data = append(wire.AppendU32(data, 0), m.Data...)
	}
	b = wire.AppendU16(b, 9)
	b = append(b, m.ContextCount, 0)
	b = wire.AppendU32(b, uint32(len(data)))
	if len(data) == 0 {
		return append(b, 0)
	}
	return append(b, data...)
}

// Append appends what Decode reads.
func (m *ValidateNegotiateResponse) Append(b []byte) []byte {
	b = wire.AppendU32(b, uint32(m.Capabilities))
	b = append(b, m.ServerGUID[:]...)
	b = wire.AppendU16(b, uint16(m.SecurityMode))
	return wire.AppendU16(b, uint16(m.Dialect))
}
