package smbd

// maxMessage bounds what is kept of a message in fragments: well above the largest that
// SMB2 has, whatever a first fragment claims.
const maxMessage = 16 << 20

// Assembler joins the fragments of one direction. [MS-SMBD] 3.1.5.2
type Assembler struct {
	buf    []byte
	frames []uint32 // that brought them
	want   uint32   // Remaining of the fragment before; 0 if none is awaited
	size   int      // of the fragments so far, captured or not
	cut    bool
}

// Whole is a message of the layer above.
type Whole struct {
	Bytes  []byte   // as far as captured; valid until the next Add
	Size   int      // bytes on the wire
	Frames []uint32 // that brought it; valid until the next Add
}

// Problem is what is wrong with a fragment.
type Problem uint8

const (
	Sound     Problem = iota
	Unstarted         // the rest of a message whose beginning is missing
	NotNext           // its Remaining is not that of the one before less its own length
	Oversized         // more than an Assembler keeps
)

// Add takes a data transfer that frames brought, and returns the message that is whole
// with it; ok is false if none is. Messages without data change nothing.
func (a *Assembler) Add(m *Message, frames []uint32) (w Whole, ok bool, p Problem) {
	if m.DataLength == 0 {
		return Whole{}, false, Sound
	}
	data := m.Bytes()
	if a.want > 0 && m.Remaining != a.want-min(a.want, m.DataLength) {
		// The rest of what came before never will: this begins anew, if it can.
		p = NotNext
		a.Reset()
	}
	if a.want == 0 {
		a.Reset()
		if !begins(data) {
			return Whole{}, false, max(p, Unstarted)
		}
		if m.Remaining == 0 {
			return Whole{data, int(m.DataLength), frames}, true, p
		}
	}
	if a.size+len(data) > maxMessage {
		a.Reset()
		return Whole{}, false, Oversized
	}
	if !a.cut {
		a.buf = append(a.buf, data...)
	}
	a.cut = a.cut || len(data) < int(m.DataLength)
	a.size += int(m.DataLength)
	a.frames = append(a.frames, frames...)
	a.want = m.Remaining
	if a.want > 0 {
		return Whole{}, false, p
	}
	return Whole{a.buf, a.size, a.frames}, true, p
}

// begins reports whether b is the beginning of a message of SMB: what else is there belongs
// to one that began where the capture has a hole.
func begins(b []byte) bool {
	return len(b) >= 4 && b[0] >= 0xfc && b[1] == 'S' && b[2] == 'M' && b[3] == 'B'
}

// Pending returns how many bytes of a begun message have not come.
func (a *Assembler) Pending() uint32 { return a.want }

// Reset forgets a begun message, because what follows is missing.
func (a *Assembler) Reset() {
	a.buf, a.frames, a.want, a.size, a.cut = a.buf[:0], a.frames[:0], 0, 0, false
}
