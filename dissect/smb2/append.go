package smb2

import (
	"github.com/odxray/odxray/dissect/wire"
)

// An Appender is a body that can be sent: Append appends it to b, which ends with its
// header, from StructureSize on. What an offset and a length pair points at follows at
// once; the offsets count from the header's beginning, as they do on the wire.
//
// What only decoding finds, such as the Input of an IoctlRequest, is not looked at:
// the bytes beside it are sent.
type Appender interface {
	Body
	Append(b []byte) []byte
}

// Chain puts messages one behind another. [MS-SMB2] 3.2.4.1.4, 3.3.4.1.3
type Chain struct {
	Bytes []byte // the chain so far; what was there before the first Add is left alone
	last  int    // where its last message begins, plus one; 0 is nowhere
}

// Add appends a message of a header and a body as Appender gives it. The message
// before it is filled up to 8 bytes and told where it begins; so signatures are made
// when the chain is whole.
func (c *Chain) Add(h *Header, body []byte) {
	if c.last > 0 {
		before := c.last - 1
		c.Bytes = wire.Align(c.Bytes, before, 8)
		wire.PutU32(c.Bytes[before+nextCommandOffset:], uint32(len(c.Bytes)-before))
	}
	c.last = len(c.Bytes) + 1
	c.Bytes = append(h.Append(c.Bytes), body...)
}

// Where fields of the header lie in a message.
const (
	flagsOffset       = 16
	nextCommandOffset = 20
)

// Split takes the first message off a chain that somebody sent, with the padding
// behind it. rest is empty after the last. The error is a *wire.Error that wraps
// ErrProtocol, ErrStructureSize or wire.ErrShort.
func Split(chain []byte) (message, rest []byte, err error) {
	c := wire.New(chain, nil)
	var h Header
	look := c.Ahead()
	if h.decode(&look, false, &unknown); look.Failed() {
		return nil, nil, look.Err()
	}
	n := uint64(h.NextCommand)
	switch {
	case n == 0:
		return chain, nil, nil
	case n < headerSize || n%8 != 0 || n > uint64(len(chain))-headerSize:
		c.Fail(fNextCommand, wire.ErrShort)
		return nil, nil, c.Err()
	}
	return chain[:n:n], chain[n:], nil
}

// ContextList is the contexts of a CREATE as they lie on the wire. [MS-SMB2] 2.2.13.2
type ContextList []byte

// Append appends a context. Names are of four letters, or GUIDs as they lie on the wire.
func (l ContextList) Append(name string, data []byte) ContextList {
	if last := l.last(); last >= 0 {
		l = wire.Align(l, last, 8)
		wire.PutU32(l[last:], uint32(len(l)-last))
	}
	start := len(l)
	const fixed = 16
	l = wire.AppendU32(l, 0)
	l = wire.AppendU16(l, fixed)
	l = wire.AppendU16(l, uint16(len(name)))
	l = wire.AppendU16(l, 0)
	off := fixed + len(name)
	if len(data) > 0 {
		off = (off + 7) &^ 7
		l = wire.AppendU16(l, uint16(off))
		l = wire.AppendU32(l, uint32(len(data)))
	} else {
		l = wire.AppendU16(l, 0)
		l = wire.AppendU32(l, 0)
	}
	l = append(l, name...)
	if len(data) == 0 {
		return wire.Align(l, start, 8)
	}
	return append(wire.Align(l, start, 8), data...)
}

// last returns where the last context begins, -1 if there is none.
func (l ContextList) last() int {
	last := -1
	for off := 0; off+4 <= len(l); {
		last = off
		next := int(wire.GetU32(l[off:]))
		if next == 0 || next > len(l)-off {
			break
		}
		off += next
	}
	return last
}

// Each calls yield with the name and the data of each context, which alias the list.
// It ends where the list cannot be read.
func (l ContextList) Each(yield func(name string, data []byte) bool) {
	all := wire.New(l, nil)
	for all.Len() > 0 {
		look := all.Ahead()
		next, size := look.U32(fChainOffset), all.Len()
		if next != 0 {
			size = int(next)
		}
		c := all.Sub(fElement, size)
		c.U32(fChainOffset)
		off, n := pair16(&c)
		c.Skip(fReserved, 2)
		dataOff, dataLen := uint32(c.U16(fPairOffset)), c.U32(fPairLength)
		name := at(&c, fTag, off, n)
		data := at(&c, fChainData, dataOff, dataLen)
		s, b := name.Bytes(fTag, name.Len()), data.Bytes(fChainData, data.Len())
		if all.Failed() || c.Failed() || name.Failed() || data.Failed() || !yield(string(s), b) {
			return
		}
	}
}

// Name returns the name of a context on the wire; "" if s is none, or several.
func (s Contexts) Name() string { return s.tag() }

// Append appends the data of a lease context, of the version that l has.
func (l *Lease) Append(b []byte) []byte { return l.append(b) }

// LockList is the ranges of a LOCK as they lie on the wire. [MS-SMB2] 2.2.26.1
type LockList []byte

const lockSize = 24

// Len returns how many there are.
func (l LockList) Len() int { return len(l) / lockSize }

// At returns one of them.
func (l LockList) At(i int) (e LockElement) {
	c := wire.New(l[i*lockSize:], nil)
	e.decode(&c)
	return e
}

// Append appends a range.
func (l LockList) Append(e LockElement) LockList {
	l = wire.AppendU64(l, e.Offset)
	l = wire.AppendU64(l, e.Length)
	l = wire.AppendU32(l, uint32(e.Flags))
	return wire.AppendU32(l, 0)
}

// Append appends the contexts that are there, the first at a multiple of 8 bytes from
// start, and returns where that is, counted from start, and how many they are.
func (m *NegotiateContexts) Append(b []byte, start int) (_ []byte, off uint32, count uint16) {
	add := func(t NegotiateType, data []byte) {
		b = wire.Align(b, start, 8)
		if count++; count == 1 {
			off = uint32(len(b) - start)
		}
		b = wire.AppendU16(b, uint16(t))
		b = wire.AppendU16(b, uint16(len(data)))
		b = wire.AppendU32(b, 0)
		b = append(b, data...)
	}
	counted := func(l List16, between ...byte) []byte {
		return append(append(wire.AppendU16(nil, uint16(l.Len())), between...), l...)
	}
	if m.Hashes != nil {
		data := wire.AppendU16(nil, uint16(m.Hashes.Len()))
		data = wire.AppendU16(data, uint16(len(m.Salt)))
		add(NegotiatePreauth, append(append(data, m.Hashes...), m.Salt...))
	}
	if m.Ciphers != nil {
		add(NegotiateEncryption, counted(m.Ciphers))
	}
	if m.Compressions != nil {
		add(NegotiateCompression, counted(m.Compressions, wire.AppendU32([]byte{0, 0}, m.CompressionFlags)...))
	}
	if m.Netname != nil {
		add(NegotiateNetname, m.Netname)
	}
	if m.Transport != 0 {
		add(NegotiateTransport, wire.AppendU32(nil, m.Transport))
	}
	if m.RDMATransforms != nil {
		add(NegotiateRDMA, counted(m.RDMATransforms, make([]byte, 6)...))
	}
	if m.Signings != nil {
		add(NegotiateSigning, counted(m.Signings))
	}
	if m.POSIX {
		add(NegotiatePOSIX, []byte(contextNames[14].tag)) // the GUID that POSIX contexts have
	}
	return b, off, count
}

// Append appends the header of an encrypted message as far as it can be written before
// the message is sealed: Signature, Nonce, OriginalSize, Flags and SessionID.
func (h *TransformHeader) Append(b []byte) []byte {
	b = wire.AppendBE32(b, uint32(ProtocolTransform))
	n := len(b)
	b = wire.AppendZeros(b, 32)
	copy(b[n:n+16], h.Signature)
	copy(b[n+16:], h.Nonce)
	b = wire.AppendU32(b, h.OriginalSize)
	b = wire.AppendU16(b, 0)
	b = wire.AppendU16(b, h.Flags)
	return wire.AppendU64(b, h.SessionID)
}
