package flows

// The ledgers of SMB Direct: how many messages each end may send, and what it owes while
// it may send none. [MS-SMBD] 3.1.1.1, 3.1.5.1

import (
	"fmt"
	"time"

	"github.com/odxray/odxray/rdma/smbd"
)

const (
	starvation = 100 * time.Millisecond // without a credit while something is owed, before it is a fault
	keepAlive  = 5 * time.Second        // in which one has to be answered. [MS-SMBD] 3.1.6.1
)

// ledger is the credits of both ends of a connection.
type ledger struct {
	known  bool // the negotiation was captured, and nothing is missing since
	counts [2]credit
}

// credit is what one end may send, and owes.
type credit struct {
	CreditLedger
	target int // credits that it wants to have

	starved   int64 // since when it has no usable one and owes something; 0 if not so
	starvedAt uint32
	owing     string // what

	asked   uint32 // frame of the other's request for an answer; 0 if none waits
	patient int64  // since when it could have answered; 0 if it cannot
}

// CreditLedger is what one end of a connection of SMB Direct may send.
type CreditLedger struct {
	Requested  int // credits that the end wants to have in all, as it said last
	Spent      int // messages with which it spent one
	Received   int // credits that it was granted, the negotiation included
	KeepAlives int // times that it asked for an answer

	// Of a connection whose beginning is in the capture, as far as nothing of it is missing.
	Known    bool
	Window   int // credits that it has
	Most     int // the largest Window
	Least    int // the smallest Window after a message of its own; -1 if it sent none
	Overruns int // messages without a credit
	Stalls   int // times that it had none to use for long, and owed something
	Stalled  int64
	History  []CreditPoint // of Window, the oldest first; not more than maxHistory
}

// CreditPoint is the least and the most credits that an end had in a stretch of time.
type CreditPoint struct {
	Time      int64 // ns; of the first message in it
	Low, High int
}

// maxHistory bounds the points of a CreditLedger: past it two become one.
const maxHistory = 256

// maxHistories bounds the connections that have a History.
const maxHistories = 1 << 9

// history is a series that keeps its length: each point covers the same stretch of time.
type history struct {
	points []CreditPoint
	width  int64 // ns
}

func (h *history) add(now int64, credits int) {
	if n := len(h.points); n > 0 {
		if p := &h.points[n-1]; now-p.Time < h.width || now <= p.Time {
			p.Low, p.High = min(p.Low, credits), max(p.High, credits)
			return
		}
	}
	if len(h.points) == maxHistory {
		h.width = max(2*h.width, (now-h.points[0].Time)/(maxHistory/2))
		kept := h.points[:0]
		for _, p := range h.points {
			if n := len(kept); n > 0 && p.Time-kept[n-1].Time < h.width {
				q := &kept[n-1]
				q.Low, q.High = min(q.Low, p.Low), max(q.High, p.High)
				continue
			}
			kept = append(kept, p)
		}
		h.points = kept
		h.add(now, credits)
		return
	}
	h.points = append(h.points, CreditPoint{now, credits, credits})
}

// begin takes the answer to the negotiation, which gives the client its first credits; the
// server has none until the client sends something.
func (l *ledger) begin(request, answer *smbd.Message, server int) {
	client := 1 - server
	if request.Kind != 0 {
		l.counts[client].target = int(request.CreditsRequested)
	}
	l.counts[server].target = int(answer.CreditsRequested)
	l.counts[client].Received = int(answer.CreditsGranted)
	if answer.Status != 0 {
		return
	}
	l.known = true
	for i := range l.counts {
		l.counts[i].Least = -1
	}
	l.counts[client].Window = int(answer.CreditsGranted)
	l.counts[client].Most = l.counts[client].Window
}

// usable reports whether an end may send. The last credit is for messages that grant some,
// which an end cannot whose peer has all that it wants. [MS-SMBD] 3.1.5.1
func (l *ledger) usable(end int) bool {
	own, other := &l.counts[end], &l.counts[1-end]
	return own.Window > 1 || own.Window == 1 && other.Window < other.target
}

// transfer takes a data transfer of one end.
func (d *direct) transfer(from int, m *smbd.Message, frame uint32, now int64) {
	l := &d.ledger
	own, other := &l.counts[from], &l.counts[1-from]
	own.target = int(m.CreditsRequested)
	own.Spent++
	other.Received += int(m.CreditsGranted)
	if m.ResponseRequested {
		own.KeepAlives++
	}
	if !l.known {
		return
	}
	d.answers(from, frame, now)
	switch own.Window {
	case 0:
		own.Overruns++
		d.fault(RDMAFault{Kind: FaultOverrun, Level: Error, Frame: int(frame), Text: "the " + d.side(from) + " sends a data transfer without a credit"})
	case 1:
		own.starved = 0 // its credit was of use to it
		if m.CreditsGranted == 0 {
			d.fault(RDMAFault{Kind: FaultLastCredit, Level: Warning, Frame: int(frame), Text: "the " + d.side(from) + " spends its last credit and grants none"})
		}
		fallthrough
	default:
		own.Window--
	}
	if own.Least < 0 || own.Window < own.Least {
		own.Least = own.Window
	}
	other.Window += int(m.CreditsGranted)
	other.Most = max(other.Most, other.Window)
	if m.ResponseRequested && other.asked == 0 {
		other.asked = frame
	}
	if h := d.history; h != nil {
		h[from].add(now, own.Window)
		h[1-from].add(now, other.Window)
	}
}

// side names an end.
func (d *direct) side(end int) string {
	if end == d.server {
		return "server"
	}
	return "client"
}

// answers takes that an end has sent something: what the other asked for, if it did.
func (d *direct) answers(end int, frame uint32, now int64) {
	d.overdue(end, frame, now)
	own := &d.ledger.counts[end]
	own.asked, own.patient = 0, 0
}

// overdue looks if an end could have answered for too long.
func (d *direct) overdue(end int, frame uint32, now int64) {
	own := &d.ledger.counts[end]
	if own.asked == 0 || own.patient == 0 || now-own.patient <= int64(keepAlive) {
		return
	}
	d.fault(RDMAFault{Kind: FaultKeepAlive, Level: Warning, Frame: int(own.asked), Answer: int(frame),
		Text: fmt.Sprintf("the %s is asked for an answer and sends nothing for %.1f s, with %d credits", d.side(end), time.Duration(now-own.patient).Seconds(), own.Window)})
	own.patient = 0
	own.asked = 0
}

// weigh looks at what both ends owe, and whether they may send it, after a message.
func (d *direct) weigh(frame uint32, now int64) {
	l := &d.ledger
	if !l.known {
		return
	}
	for end := range l.counts {
		own := &l.counts[end]
		usable := l.usable(end)
		switch {
		case own.asked == 0 || !usable:
			own.patient = 0
		case own.patient == 0:
			own.patient = now
		}
		owes := ""
		switch {
		case usable:
		case d.parts[end].Pending() > 0:
			owes = "the rest of a message"
		case end == d.server && d.owing > 0:
			owes = "answers to requests"
		case own.asked != 0:
			owes = "the answer to a keep-alive"
		}
		switch {
		case owes != "" && own.starved == 0:
			own.starved, own.starvedAt, own.owing = now, frame, owes
		case owes == "" && own.starved != 0:
			d.starved(end, frame, now)
			own.starved = 0
		}
	}
}

// starved judges a time without credits that is over.
func (d *direct) starved(end int, frame uint32, now int64) {
	own := &d.ledger.counts[end]
	took := now - own.starved
	if took <= int64(starvation) {
		return
	}
	own.Stalls++
	own.Stalled += took
	d.fault(RDMAFault{Kind: FaultStarved, Level: Warning, Frame: int(own.starvedAt), Answer: int(frame),
		Text: fmt.Sprintf("the %s had no credit to use for %.0f ms, and owed %s", d.side(end), time.Duration(took).Seconds()*1000, own.owing)})
}

// rest ends the ledger: the connection or the capture is over. frame is the last one, of the
// connection or of the capture.
func (d *direct) rest(frame uint32, now int64) {
	l := &d.ledger
	if !l.known {
		return
	}
	l.known = false
	for end := range l.counts {
		own := &l.counts[end]
		own.Known = true // until here
		d.overdue(end, 0, now)
		if own.starved != 0 {
			d.starved(end, frame, now)
			own.starved = 0
		}
	}
}

// forget gives up counting: something is not in the capture.
func (l *ledger) forget() {
	l.known = false
	for i := range l.counts {
		c := &l.counts[i]
		c.starved, c.asked, c.patient = 0, 0, 0
	}
}

// credits returns what the outside may know of an end.
func (d *direct) credits(end int) CreditLedger {
	c := d.ledger.counts[end].CreditLedger
	c.Requested = d.ledger.counts[end].target
	c.Known = c.Known || d.ledger.known
	if d.history != nil {
		c.History = append([]CreditPoint(nil), d.history[end].points...)
	}
	return c
}
