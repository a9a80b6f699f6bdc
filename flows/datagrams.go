package flows

// UDP conversations, by the names that Wireshark has for them. Nothing is decided by
// them; they are followed only in a pass where somebody looks.

import "github.com/odxray/odxray/dissect/inet"

// datagramTable is the conversations so far: the first maxConns of them.
type datagramTable struct {
	by map[connKey]*datagrams
}

type datagrams struct {
	stream      uint32 // in order of appearance, from 0
	first, last int64  // times of frames
}

// tell fills ctx with the frame's conversation.
func (t *datagramTable) tell(h *inet.Headers, now int64, ctx *inet.Context) {
	k, _ := keyOf(h)
	d := t.by[k]
	if d == nil {
		if len(t.by) >= maxConns {
			return
		}
		if t.by == nil {
			t.by = make(map[connKey]*datagrams)
		}
		d = &datagrams{stream: uint32(len(t.by)), first: now, last: now}
		t.by[k] = d
	}
	ctx.HasStream, ctx.Stream, ctx.StreamFirstTime, ctx.StreamPrevTime = true, d.stream, d.first, d.last
	d.last = now
}
