package replay

import (
	"encoding/binary"
	"testing"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/smb2"
)

// transceived is an FSCTL_PIPE_TRANSCEIVE, or the answer to one, that carries a PDU of a
// type with a stub.
func transceived(kind byte, authLength int, stub []byte, answer bool) []byte {
	pdu := make([]byte, rpcHeader+len(stub))
	pdu[0], pdu[2] = 5, kind
	le.PutUint16(pdu[10:], uint16(authLength))
	copy(pdu[rpcHeader:], stub)
	fixed := 56
	if answer {
		fixed = 48
	}
	b := make([]byte, headerSize+fixed)
	le.PutUint16(b[12:], uint16(smb2.Ioctl))
	for i, v := range map[int]int{24: headerSize + fixed, 28: len(pdu)} { // InputOffset, InputCount
		if answer {
			i += 8 // OutputOffset, OutputCount
		}
		le.PutUint32(b[headerSize+i:], uint32(v))
	}
	return append(b, pdu...)
}

// A handle is what an answer gave and a request presents, with attributes where a handle
// may have some; calls that bring their own log-on are left out.
func TestHandles(t *testing.T) {
	handle := func(attributes uint32) []byte {
		return append(binary.LittleEndian.AppendUint32(nil, attributes), "\x11\x22\x33\x44id-of-handle"...)
	}
	status := make([]byte, 4)
	join := func(parts ...[]byte) (b []byte) {
		for _, p := range parts {
			b = append(b, p...)
		}
		return b
	}
	for _, c := range []struct {
		name            string
		answer, request []byte
		auth            int
		uses            int
	}{
		{"no attributes", join(handle(0), status), join(handle(0), []byte("more")), 0, 1},
		{"in the middle", join(status, handle(0), status, status), handle(0), 0, 1},
		{"attributes, first", join(handle(1), status), handle(1), 0, 1},
		{"attributes, before the status", join(status, status, handle(3), status), handle(3), 0, 1},
		{"attributes, in the middle", join(status, handle(1), status, status), handle(1), 0, 0},
		{"no attributes of a handle", join(handle(16), status), handle(16), 0, 0},
		{"another", join(handle(1), status), handle(2), 0, 0},
		{"a small number", join(make([]byte, 20), status), make([]byte, 20), 0, 0},
		{"authenticated", join(handle(0), status), handle(0), 16, 1},
	} {
		x := extraction{plan: &Plan{Conns: make([]Conn, 1), Groups: make([]Group, 2), Slots: []Slot{{Kind: SlotTree, Pipe: true}}}, pipes: make(pipes), current: make(map[slotKey]int), numbers: make(map[SlotKind]int)}
		x.plan.Steps = []Step{{ID: 1}, {ID: 2, Group: 1}}
		for i := range x.plan.Steps {
			s := &x.plan.Steps[i]
			s.Header.Command, s.Exchange.Function = smb2.Ioctl, fscc.PipeTransceive
			s.Answer = transceived(rpcReply, c.auth*i, c.answer, true)
			s.Request = transceived(rpcRequest, c.auth*i, c.request, false)
			s.Size = len(s.Request)
		}
		x.offered(&x.plan.Steps[0])
		x.presented(&x.plan.Steps[1])
		if n := len(x.plan.Steps[1].Uses); n != c.uses {
			t.Errorf("%s: %d handles, want %d", c.name, n, c.uses)
		}
	}
}
