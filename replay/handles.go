package replay

// Context handles of remote procedure calls: a server gives them, and the client presents
// them again. Stubs are opaque to the decoders, so a handle is known by being presented:
// 20 bytes of a request that an answer on the same pipe held before. [C706] 14.2.16.6

import (
	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/smb2"
)

const (
	handleSize = 20 // 4 bytes of attributes and a UUID
	rpcRequest = 0
	rpcReply   = 2
	rpcHeader  = 24 // of both
	rpcCommon  = 16 // of all PDUs
	maxHandles = 1 << 12
)

// pipes is what answers on pipes held that may be a handle.
type pipes map[string]Use // Use.Slot is the Step.ID

// pdu returns the DCE/RPC PDU that a message on a pipe holds, and where; nil if it holds none.
func pdu(b []byte, command smb2.Command, answer bool) (pdu []byte, off int) {
	const body = headerSize
	at, n := uint32(0), uint32(0)
	switch {
	case len(b) < body+48:
		return nil, 0
	case command == smb2.Write && !answer:
		at, n = uint32(le.Uint16(b[body+2:])), le.Uint32(b[body+4:])
	case command == smb2.Read && answer:
		at, n = uint32(b[body+2]), le.Uint32(b[body+4:])
	case command == smb2.Ioctl && !answer:
		at, n = ioctlInput(b)
	case command == smb2.Ioctl:
		at, n = le.Uint32(b[body+32:]), le.Uint32(b[body+36:])
	}
	if pdu = part(b, at, n); len(pdu) < rpcCommon || pdu[0] != 5 {
		return nil, 0
	}
	return pdu, int(at)
}

// stub returns where the stub of a message's DCE/RPC PDU of a type is; 0 if there is none.
func stub(b []byte, command smb2.Command, answer bool, kind byte) (off, upto int) {
	p, at := pdu(b, command, answer)
	if len(p) < rpcHeader || p[2] != kind {
		return 0, 0
	}
	return at + rpcHeader, at + len(p)
}

// plausible reports whether 20 bytes may be a handle: attributes that are a small number,
// and an id that is more than that, and no text in UTF-16.
func plausible(b []byte) bool {
	set, text := 0, true
	for i, x := range b[4:] {
		if x != 0 {
			set++
			text = text && i%2 == 0
		}
	}
	return le.Uint32(b) < 16 && set >= 4 && !text
}

// handleAt reports whether an answer's stub may hold a handle at a place: anywhere if it
// has no attributes, else where one usually is, first or before the status. What else
// begins with a small number may be counted data.
func handleAt(b []byte, at, from, upto int) bool {
	h := b[at : at+handleSize]
	return plausible(h) && (le.Uint32(h) == 0 || at == from || at+handleSize+4 == upto)
}

// onPipe reports whether a step talks on a named pipe.
func (p *Plan) onPipe(s *Step) bool {
	switch {
	case s.Tree < 0 || !p.Slots[s.Tree].Pipe && !isIPC(p.Slots[s.Tree].Path):
		return false
	case s.Header.Command == smb2.Ioctl:
		return s.Exchange.Function == fscc.PipeTransceive
	}
	return s.Header.Command == smb2.Read || s.Header.Command == smb2.Write
}

// presented finds the handles that a request presents.
func (x *extraction) presented(s *Step) {
	if !x.plan.onPipe(s) {
		return
	}
	from, upto := stub(s.Request, s.Header.Command, false, rpcRequest)
	for at := from; from > 0 && at+handleSize <= upto; at += 4 {
		b := s.Request[at : at+handleSize]
		d, ok := x.pipes[string(b)]
		if !ok || !plausible(b) {
			continue
		}
		k := slotKey{SlotHandle, x.plan.Conns[x.plan.Groups[s.Group].Conn].Host, string(b)}
		slot, ok := x.current[k]
		if !ok {
			slot = x.define(SlotHandle, k.scope, b, s.Tree, d.Slot)
			giver := x.plan.Step(d.Slot)
			giver.Defines = append(giver.Defines, Use{slot, d.Off, d.Len})
		}
		s.Uses = append(s.Uses, Use{slot, at, handleSize})
		at += handleSize - 4
	}
}

// offered keeps what of an answer may be a handle.
func (x *extraction) offered(s *Step) {
	if !x.plan.onPipe(s) {
		return
	}
	from, upto := stub(s.Answer, s.Header.Command, true, rpcReply)
	for at := from; from > 0 && at+handleSize <= upto && len(x.pipes) < maxHandles; at += 4 {
		b := s.Answer[at : at+handleSize]
		if _, known := x.pipes[string(b)]; !known && handleAt(s.Answer, at, from, upto) {
			x.pipes[string(b)] = Use{s.ID, at, handleSize}
		}
	}
}

// normal returns an answer with the handles that the step's answer brings as they were
// captured, so that the rest can be compared; and with the captured count where less was
// written to a pipe, as bare had it.
func (r *run) normal(s *Step, b []byte) []byte {
	const count = headerSize + 4 // [MS-SMB2] 2.2.22
	if s.Header.Command == smb2.Write && r.onPipe(s) && len(b) >= count+4 && len(s.Answer) >= count+4 {
		if sent, err := bare(s, s.Request); err == nil && le.Uint32(b[count:]) == le.Uint32(sent[headerSize+4:]) {
			b = append([]byte(nil), b...)
			copy(b[count:count+4], s.Answer[count:])
		}
	}
	for _, u := range s.Defines {
		if r.plan.Slots[u.Slot].Kind == SlotHandle && u.Off+u.Len <= len(b) {
			b = append([]byte(nil), b...)
			copy(b[u.Off:], r.plan.Slots[u.Slot].Old)
		}
	}
	return b
}
