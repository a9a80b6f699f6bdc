package flows

// READs and WRITEs whose data went in messages, on connections that could have moved it by
// RDMA, and why.

import (
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/smb2"
)

// muchInline is how many bytes a READ or WRITE has to bring to be worth an RDMA operation.
const muchInline = 8 << 10

// Inline is the READs or the WRITEs of one connection that went inline for one cause.
type Inline struct {
	Write  bool // else READs
	Cause  string
	Count  int
	Bytes  uint64
	Frames []int // of requests and answers; not all if there are many
}

// maxInlineFrames bounds the frames that an Inline names.
const maxInlineFrames = 20

const (
	causeSealed    = "the session is sealed: its messages are encrypted"
	causeSigned    = "the messages are signed"
	causeThreshold = "the client gave no memory, by a threshold of its own"
)

// inlined looks at an answered exchange of a connection of RDMA.
func (a *Analyzer) inlined(d *direct, x uint32, sealed bool) {
	e := a.exchanges.at(x)
	if e.command != smb2.Read && e.command != smb2.Write || e.moved < muchInline || e.status != ntstatus.Success || e.reqFrame == 0 || a.exchanges.beside(x).offered > 0 {
		return
	}
	if e.tree != 0 && a.trees[e.tree].kind == 2 {
		return // a pipe, not a file
	}
	cause := causeThreshold
	switch {
	case sealed:
		cause = causeSealed
	case e.facts&signed != 0:
		cause = causeSigned
	}
	var n *Inline
	for i := range d.inline {
		if i := &d.inline[i]; i.Cause == cause && i.Write == (e.command == smb2.Write) {
			n = i
		}
	}
	if n == nil {
		d.inline = append(d.inline, Inline{Write: e.command == smb2.Write, Cause: cause})
		n = &d.inline[len(d.inline)-1]
	}
	n.Count++
	n.Bytes += e.moved
	if len(n.Frames) < maxInlineFrames {
		n.Frames = append(n.Frames, int(e.reqFrame), int(e.ansFrame))
	}
}
