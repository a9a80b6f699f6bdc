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
	Refused  string // what the last NAK of it said; "" if it has not been refused for good

	FirstFrame, LastFrame uint32 // of its data; FirstFrame is that of the request of a READ
	FirstTime, LastTime   int64  // ns
	DataFrame             uint32 // that brought the first of its data; 0 if none has
	DataTime              int64

	Sample uint32 // what Table.Sample made of the beginning of its data; 0 if nothing
	Owner  Owner

	ended bool   // of a READ: the packet came that says it is the last
	spans []span // of what moved, in bytes from Address
	next  uint32 // of a WRITE: where the next packet's data goes
}

// Owner is what the caller keeps of whose an Operation is.
type Owner struct {
	Number, Frame   uint32
	Asked, Answered int64 // ns
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

// Unseen reports whether data of a READ was on its way that no packet here brought: some of
// it is missing, and no answer came to an end before.
func (o *Operation) Unseen() bool {
	return o.Read && !o.Complete() && o.Refused == "" && !(o.ended && len(o.spans) == 1 && o.spans[0].from == 0)
}

// Gap reports whether data of a READ is missing before other data of it.
func (o *Operation) Gap() bool {
	return o.Read && len(o.spans) > 0 && (len(o.spans) > 1 || o.spans[0].from > 0)
}

// Move notes that a frame brings the n bytes from one on, as far as they are the operation's.
// What was brought before counts once.
func (o *Operation) Move(from, n, frame uint32, now int64) {
	if from >= o.Length && o.Length > 0 {
		return
	}
	s := span{from, from + min(n, o.Length-from)}
	if k := len(o.spans); k > 0 && o.spans[k-1].to == s.from { // as it should be
		o.spans[k-1].to = s.to
	} else if !o.join(s) {
		return
	}
	o.LastFrame, o.LastTime = frame, now
	if o.DataFrame == 0 {
		o.DataFrame, o.DataTime = frame, now
	}
}

// join adds a span that does not go on from the last, and reports whether it is new.
func (o *Operation) join(s span) bool {
	i := 0
	for i < len(o.spans) && o.spans[i].to < s.from {
		i++
	}
	if i < len(o.spans) && o.spans[i].from <= s.from && s.to <= o.spans[i].to {
		return false
	}
	j := i
	for ; j < len(o.spans) && o.spans[j].from <= s.to; j++ {
		s.from, s.to = min(s.from, o.spans[j].from), max(s.to, o.spans[j].to)
	}
	if len(o.spans)-(j-i) >= maxSpans {
		return false
	}
	o.spans = slices.Replace(o.spans, i, j, s)
	return true
}

// maxSpans bounds the runs of bytes that are kept of one operation.
const maxSpans = 1 << 10
