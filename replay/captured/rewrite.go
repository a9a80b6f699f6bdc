package captured

// Ids of now in the place of those of then.

import (
	"bytes"

	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
)

// rewritten returns the body of a captured answer as a client of now understands it. Keys
// and tokens stay: clients present them as they are. s.mu is held.
func (p *player) rewritten(q *question, i int32, body []byte) []byte {
	st := &p.s.r.steps[i]
	switch b := q.Body.(type) {
	case *smb2.TreeConnectRequest:
		return body
	case *smb2.CreateRequest:
		if st.status == ntstatus.Success {
			p.opened(q, b, i, body)
		}
	case *smb2.IoctlRequest:
		const fileAt = 8
		if len(body) >= fileAt+len(b.File) && st.status != ntstatus.NotSupported && body[0] == 49 {
			copy(body[fileAt:], b.File[:])
		}
		answerCall(q.file, body, 32, 36)
	case *smb2.ReadRequest:
		if q.file != nil && isPipe(q.about) && len(body) >= 8 {
			q.file.answer(section(body, uint32(body[2]), wire.GetU32(body[4:])))
		}
		if st.status == ntstatus.Success {
			body = inline(body)
		}
	case *smb2.OplockBreakAcknowledgment:
		const fileAt = 8
		if st.status == ntstatus.Success && len(body) >= fileAt+len(b.File) {
			copy(body[fileAt:], b.File[:])
		}
	case *smb2.LeaseBreakAcknowledgment:
		const keyAt = 8
		if st.status == ntstatus.Success && len(body) >= keyAt+len(b.Key) {
			copy(body[keyAt:], b.Key[:])
		}
	}
	return body
}

// inline has data that went by RDMA, of which the capture's messages hold nothing, come as
// zeros in the message. [MS-SMB2] 2.2.20
func inline(body []byte) []byte {
	const remainingAt, most = 8, 8 << 20
	if len(body) < remainingAt+4 {
		return body
	}
	n := wire.GetU32(body[remainingAt:])
	if n == 0 || n > most {
		return body
	}
	return (&smb2.ReadResponse{Data: make([]byte, n)}).Append(nil)
}

// opened gives an open an id of now, and its lease the client's key.
func (p *player) opened(q *question, m *smb2.CreateRequest, i int32, body []byte) {
	const fileAt = 64
	if len(body) < fileAt+16 {
		return
	}
	s := p.s
	s.nextID++
	f := &open{session: q.Session, about: q.about, step: i}
	if s.unmatched == Lab {
		f.create = bytes.Clone(q.Raw)
	}
	copy(f.id[:], wire.AppendU64(wire.AppendU64(nil, s.nextID|1<<48), s.nextID|1<<49))
	s.files[f.id], p.opens[f.id] = f, f
	q.chain.file = f
	copy(body[fileAt:], f.id[:])
	if !m.Contexts.Has(smb2.ContextLease) {
		return
	}
	head := smb2.Header{Command: smb2.Create, Flags: smb2.FlagResponse}
	c := wire.New(append(head.Append(nil), body...), nil)
	var d smb2.Decoder
	a, ok := d.Decode(&c, nil).Body.(*smb2.CreateResponse)
	if !ok || !a.Contexts.Has(smb2.ContextLease) {
		return
	}
	replace(body[fileAt+16:], a.Lease.Key, m.Lease.Key)
	if a.Lease.Version2 {
		replace(body[fileAt+16:], a.Lease.ParentKey, m.Lease.ParentKey)
	}
	p.leases[a.Lease.Key] = m.Lease.Key
}

// replace puts a key in the place of another, which is random.
func replace(b []byte, was, is wire.GUID) {
	if at := bytes.Index(b, was[:]); at >= 0 && was != (wire.GUID{}) {
		copy(b[at:], is[:])
	}
}

// section is n bytes of a body that begin at off, counted from the header.
func section(body []byte, off, n uint32) []byte {
	if off < headerSize || uint64(off-headerSize)+uint64(n) > uint64(len(body)) {
		return nil
	}
	return body[off-headerSize:][:n]
}

// answerCall renumbers the answer to a remote procedure call; the offset and the length of
// its PDU are in the body at these places.
func answerCall(f *open, body []byte, offsetAt, lengthAt int) {
	if f != nil && isPipe(f.about) && len(body) >= lengthAt+4 {
		f.answer(section(body, wire.GetU32(body[offsetAt:]), wire.GetU32(body[lengthAt:])))
	}
}

// answer gives a PDU the number of the call that it answers.
func (f *open) answer(data []byte) {
	const callAt = 12
	if pdu := rpcOf(data); pdu != nil {
		wire.PutU32(pdu[callAt:], f.call)
	}
}
