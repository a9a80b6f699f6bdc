package rdma

import "slices"

// Operation is an RDMA READ or WRITE.
type Operation struct {
	Read     bool   // else a WRITE
	By       int    // the end of the Pair that asked for it
	RKey     uint32 // of the other's memory
	Address  uint64 // in it
	Length   uint32 // bytes, as its first packet says
	PSN      uint32 // of its first packet
	Packets  uint32 // sequence numbers that it takes; 0 if unknown: the MTU is
	Repeated int    // packets of it that were sent again
	Endless  bool   // its end is not in the capture, and so not its length, either

	FirstFrame, LastFrame uint32 // of its data; FirstFrame is that of the request of a READ
	FirstTime, LastTime   int64  // ns

	Owner uint32 // whatever the caller keeps there

	spans []span // of what moved, in bytes from Address
	next  uint32 // of a WRITE: where the next packet's data goes
}

type span struct{ from, to uint32 }

// Moved returns how many bytes have moved, whatever was sent twice.
func (o *Operation) Moved() uint32 {
	n := uint32(0)
	for _, s := range o.spans {
		n += s.to - s.from
	}
	return n
}

// Spans calls yield for every run of bytes that has moved, counted from Address.
func (o *Operation) Spans(yield func(from, to uint32)) {
	for _, s := range o.spans {
		yield(s.from, s.to)
	}
}

// Complete reports whether all has.
func (o *Operation) Complete() bool { return o.Moved() >= o.Length && !o.Endless }

// Move notes that the n bytes from one on have moved, as far as they are the operation's.
func (o *Operation) Move(from, n uint32) {
	if from >= o.Length {
		return
	}
	s := span{from, from + min(n, o.Length-from)}
	if k := len(o.spans); k > 0 && o.spans[k-1].to == s.from { // as it should be
		o.spans[k-1].to = s.to
		return
	}
	i := 0
	for i < len(o.spans) && o.spans[i].to < s.from {
		i++
	}
	j := i
	for ; j < len(o.spans) && o.spans[j].from <= s.to; j++ {
		s.from, s.to = min(s.from, o.spans[j].from), max(s.to, o.spans[j].to)
	}
	if len(o.spans)-(j-i) < maxSpans {
		o.spans = slices.Replace(o.spans, i, j, s)
	}
}

// maxSpans bounds the runs of bytes that are kept of one operation.
const maxSpans = 1 << 10
