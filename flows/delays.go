package flows

// Which requests packets delayed that had to be sent again.

import (
	"slices"

	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/rdma"
)

// Delay is a request that packets sent again belong to: its own, those of its answer, or of
// its data.
type Delay struct {
	Exchange int // Exchange.ID
	Frame    int // of the request; 0 if not in the capture
	Command  smb2.Command
	Packets  int // that were sent again
}

const (
	maxDelays   = 1 << 10
	maxRecently = 16 // messages of one side
)

// delays are those of a connection, and what is needed to find them.
type delays struct {
	list   []Delay
	recent [2][maxRecently]carried // by side, a ring
	n      [2]int                  // messages so far
	early  [2][]uint32             // sequence numbers sent again of messages that are not whole so far
	latest Delay                   // of the messages of SMB2 at hand
	others int                     // packets sent again that are of no request, or of which is not known
}

// carried is a message of SMB Direct and the request that it is of.
type carried struct {
	psn uint32 // of its last packet
	of  Delay  // without Exchange if there is none, or it is not whole so far
}

// beyond reports whether sequence number x is after y.
func beyond(x, y uint32) bool { return int32((x-y)<<8) > 0 }

// says keeps whose the messages of SMB2 at hand are, before that is forgotten.
func (y *delays) says(a *Analyzer) {
	if y.latest = (Delay{}); len(a.batch) > 0 && a.batch[0].x != 0 {
		x := a.exchanges.at(a.batch[0].x)
		y.latest = Delay{Exchange: int(x.number), Frame: int(x.reqFrame), Command: x.command}
	}
}

// carries takes a message of SMB Direct; whole says that one of SMB2 is with it.
func (y *delays) carries(e *rdma.Event, whole bool) {
	side := e.Dir
	c := carried{psn: e.PSN}
	if whole {
		c.of = y.latest
	}
	ring := &y.recent[side]
	ring[y.n[side]%maxRecently] = c
	y.n[side]++
	if !whole {
		return
	}
	for i := y.n[side] - 2; i >= max(0, y.n[side]-maxRecently) && ring[i%maxRecently].of.Exchange == 0; i-- { // its fragments
		ring[i%maxRecently].of = c.of
	}
	for _, psn := range y.early[side] {
		y.add(y.of(side, psn))
	}
	y.early[side] = y.early[side][:0]
}

// of returns whose message a packet is a part of.
func (y *delays) of(side int, psn uint32) (of Delay) {
	for i := y.n[side] - 1; i >= max(0, y.n[side]-maxRecently); i-- {
		c := &y.recent[side][i%maxRecently]
		if beyond(psn, c.psn) {
			return of
		}
		of = c.of
	}
	return Delay{} // of that or of one before
}

// again takes a packet that was sent again.
func (y *delays) again(e *rdma.Event) {
	side := e.Dir
	if o := e.Op; o != nil {
		command := smb2.Read
		if o.Read {
			command = smb2.Write
		}
		y.add(Delay{Exchange: int(o.Owner.Number), Frame: int(o.Owner.Frame), Command: command})
		return
	}
	if n := y.n[side]; n > 0 && !beyond(e.PSN, y.recent[side][(n-1)%maxRecently].psn) {
		y.add(y.of(side, e.PSN))
	} else if len(y.early[side]) < maxRecently {
		y.early[side] = append(y.early[side], e.PSN)
	}
}

func (y *delays) add(of Delay) {
	if of.Exchange == 0 {
		y.others++
		return
	}
	for i := range slices.Backward(y.list) {
		if y.list[i].Exchange == of.Exchange {
			y.list[i].Packets++
			return
		}
	}
	if len(y.list) < maxDelays {
		of.Packets = 1
		y.list = append(y.list, of)
	}
}
