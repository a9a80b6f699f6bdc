package rdma

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/rdma/ib"
)

// link is two hosts with a queue pair each, and what a table makes of their packets.
type link struct {
	t     Table
	addr  [2]netip.Addr
	qp    [2]uint32
	frame uint32

	got    [2][]string // messages
	holes  int
	ops    []*Operation
	left   []int    // ends that disconnected
	told   []string // of requests to connect
	repeat int
}

func newLink() *link {
	return &link{addr: [2]netip.Addr{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")}, qp: [2]uint32{0x11, 0x22}}
}

// connect has end 0 connect to end 1, whose first sequence numbers are then 100 and 0xfffffe.
func (l *link) connect() *link {
	l.cm(0, ib.CM{Attribute: ib.ConnectRequest, LocalID: 7, QP: l.qp[0], PSN: 0xfffffe, MTU: 3, HasPort: true, Port: 445})
	l.cm(1, ib.CM{Attribute: ib.ConnectReply, LocalID: 8, RemoteID: 7, QP: l.qp[1], PSN: 100})
	return l
}

func (l *link) cm(from int, m ib.CM) { l.take(from, &ib.Packet{CM: m}) }

// send has an end send a packet.
func (l *link) send(from int, op ib.Opcode, psn uint32, data string) {
	l.with(from, ib.Packet{Opcode: op, PSN: psn}, data)
}

func (l *link) with(from int, p ib.Packet, data string) {
	p.DestQP = l.qp[1-from]
	p.Payload = wire.New([]byte(data), nil)
	l.take(from, &p)
}

func (l *link) answer(from int, psn uint32, s ib.Syndrome) {
	l.with(from, ib.Packet{Opcode: ib.Acknowledge, PSN: psn, Syndrome: s, HasSyndrome: true}, "")
}

func (l *link) take(from int, p *ib.Packet) {
	l.frame++
	for _, e := range l.t.Packet(l.addr[from], l.addr[1-from], p, l.frame, int64(l.frame)) {
		switch e.Kind {
		case Sent:
			l.got[e.Dir] = append(l.got[e.Dir], string(e.Bytes))
		case Hole:
			l.holes++
		case Began:
			l.ops = append(l.ops, e.Op)
		case Repeated:
			l.repeat++
		case Left:
			l.left = append(l.left, e.Dir)
		case Asked:
			l.told = append(l.told, fmt.Sprint("asked ", e.Port))
		case Refused:
			l.told = append(l.told, fmt.Sprint("refused ", e.Port, " ", e.Reason))
		}
	}
}

func (l *link) want(t *testing.T, dir int, messages ...string) {
	t.Helper()
	if !slices.Equal(l.got[dir], messages) {
		t.Errorf("direction %d: %q, want %q", dir, l.got[dir], messages)
	}
}

// TestGoBackN: a packet is lost, those after it are sent again, and nothing is fed twice.
func TestGoBackN(t *testing.T) {
	l := newLink().connect()
	l.send(0, ib.SendFirst, 100, "a")
	l.send(0, ib.SendLast, 102, "c") // 101 was lost before the point of capture
	l.send(0, ib.SendOnly, 103, "next")
	l.answer(1, 101, 0x60)
	for range 2 {
		l.send(0, ib.SendMiddle, 101, "b")
		l.send(0, ib.SendLast, 102, "c")
		l.send(0, ib.SendOnly, 103, "next")
	}
	l.answer(1, 103, 0x1f)
	l.want(t, 0, "abc", "next")
	if p := l.t.Pairs()[0]; l.repeat != 3 || p.Repeated != 3 || p.Refused != 1 || p.Lost != 0 {
		t.Errorf("repeated %d, %+v", l.repeat, p)
	}
}

// TestHeld: messages that come out at once keep what each has of its own.
func TestHeld(t *testing.T) {
	l := newLink().connect()
	l.send(0, ib.SendFirst, 101, "b")
	l.send(0, ib.SendLast, 102, "c")
	l.send(0, ib.SendFirst, 103, "d")
	l.send(0, ib.SendLast, 104, "e")
	l.frame++
	events := l.t.Packet(l.addr[0], l.addr[1], &ib.Packet{Opcode: ib.SendOnly, PSN: 100, DestQP: l.qp[1], Payload: wire.New([]byte("a"), nil)}, l.frame, 0)
	var got []string
	for _, e := range events {
		got = append(got, fmt.Sprint(string(e.Bytes), e.Frames))
	}
	if want := []string{"a[7]", "bc[3 4]", "de[5 6]"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestWrap: sequence numbers begin again at 0.
func TestWrap(t *testing.T) {
	l := newLink().connect()
	l.send(1, ib.SendFirst, 0xfffffe, "a")
	l.send(1, ib.SendMiddle, 0xffffff, "b")
	l.send(1, ib.SendMiddle, 0xfffffe, "a")
	l.send(1, ib.SendLastInvalidate, 0, "c")
	l.send(1, ib.SendOnly, 1, "d")
	l.want(t, 1, "abc", "d")
}

// TestLost: what the capture lacks but the receiver has is given up, and what goes on from
// it with it.
func TestLost(t *testing.T) {
	l := newLink().connect()
	l.send(0, ib.SendFirst, 100, "a")
	l.send(0, ib.SendLast, 102, "c")
	l.send(0, ib.SendOnly, 103, "d")
	l.answer(1, 103, 0x1f)
	for i := range uint32(patience) {
		l.want(t, 0)
		l.send(1, ib.SendOnly, (0xfffffe+i)%sequenceOf, "x")
	}
	l.want(t, 0, "d")
	if l.holes != 1 || l.t.Pairs()[0].Lost != 1 {
		t.Errorf("%d holes, %d lost", l.holes, l.t.Pairs()[0].Lost)
	}
}

// TestRead: the answer to a READ is asked for again from its middle on, and every byte
// counts once.
func TestRead(t *testing.T) {
	l := newLink().connect()
	full := strings.Repeat("x", 1024)
	l.with(1, ib.Packet{Opcode: ib.ReadRequest, PSN: 0xfffffe, Address: 0x1000, RKey: 9, Length: 3000}, "")
	l.send(0, ib.ReadResponseFirst, 0xfffffe, full)
	l.send(0, ib.ReadResponseLast, 0, full[:952]) // 0xffffff is missing
	if o := l.ops[0]; o.Moved() != 1976 || o.Complete() {
		t.Errorf("%+v", o)
	}
	l.with(1, ib.Packet{Opcode: ib.ReadRequest, PSN: 0xffffff, Address: 0x1400, RKey: 9, Length: 1976}, "")
	l.send(0, ib.ReadResponseFirst, 0xffffff, full)
	l.send(0, ib.ReadResponseLast, 0, full[:952])
	l.send(1, ib.SendOnly, 1, "done")
	l.want(t, 1, "done")
	if o := l.ops[0]; len(l.ops) != 1 || o.Moved() != 3000 || !o.Complete() || o.Repeated != 1 || !o.Read {
		t.Errorf("%d operations, %+v", len(l.ops), o)
	}
}

func TestWrite(t *testing.T) {
	l := newLink().connect()
	l.with(1, ib.Packet{Opcode: ib.WriteFirst, PSN: 0xfffffe, Address: 0x1000, RKey: 9, Length: 2050}, strings.Repeat("x", 1024))
	l.send(1, ib.WriteMiddle, 0xffffff, strings.Repeat("x", 1024))
	l.send(1, ib.WriteLast, 0, "xx")
	if o := l.ops[0]; o.Moved() != 2050 || o.FirstFrame != 3 || o.LastFrame != 5 {
		t.Errorf("%+v", o)
	}
}

// TestMarry: without a handshake, acknowledgements tell which two queue pairs are one
// connection, and what was sent before is not lost.
func TestMarry(t *testing.T) {
	l := newLink()
	l.send(0, ib.SendOnly, 5000, "hello")
	l.send(1, ib.SendOnly, 900, "who is it")
	l.answer(1, 5000, 0x1f)
	l.answer(0, 900, 0x1f)
	l.send(0, ib.SendOnly, 5001, "me")
	if p := l.t.Pairs(); len(p) != 1 || p[0].By != ByAcknowledge || p[0].Ends[0].QP == 0 || p[0].Ends[1].QP == 0 {
		t.Fatalf("%+v", p)
	}
	dir := 0
	if l.t.Pairs()[0].Ends[0].Addr != l.addr[0] {
		dir = 1
	}
	l.want(t, dir, "hello", "me")
	l.want(t, 1-dir, "who is it")
}

// TestStrangers: an acknowledgement of something else joins nothing.
func TestStrangers(t *testing.T) {
	l := newLink()
	l.send(0, ib.SendOnly, 5000, "hello")
	l.answer(1, 70000, 0x1f)
	if p := l.t.Pairs(); len(p) != 2 {
		t.Errorf("%+v", p)
	}
	l.want(t, 0)
}

// FuzzTable: whatever the packets are, no more comes out than went in.
func FuzzTable(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1, 4, 0, 0, 2, 0x91, 0, 0, 0, 0x8c, 0, 9, 0, 0x8d, 0, 9, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		l := newLink()
		if len(b)%2 == 0 {
			l.connect()
		}
		given := 0
		for ; len(b) >= 4; b = b[4:] {
			p := ib.Packet{Opcode: ib.Opcode(b[0] & 0x1f), PSN: uint32(b[2])<<16 | uint32(b[1]), Length: uint32(b[3]) << 4,
				Syndrome: ib.Syndrome(b[3]), HasSyndrome: b[0]&0x40 != 0}
			data := strings.Repeat("x", int(b[3]))
			given += len(data)
			l.with(int(b[0]>>7), p, data)
		}
		got := 0
		for _, list := range l.got {
			for _, m := range list {
				got += len(m)
			}
		}
		if got > given {
			t.Errorf("%d bytes of messages out of %d", got, given)
		}
		for _, o := range l.ops {
			if o.Moved() > o.Length {
				t.Errorf("%d bytes moved of %d", o.Moved(), o.Length)
			}
		}
	})
}

// TestQueueBound: queue pairs that nobody answers keep no more than a fixed number of bytes.
func TestQueueBound(t *testing.T) {
	l := newLink()
	data := strings.Repeat("x", 1<<20)
	for i := range uint32(40) {
		l.qp[1] = i
		l.send(0, ib.SendOnly, 5, data)
	}
	if l.t.queued > maxQueued || l.t.queued < maxQueued/2 {
		t.Errorf("%d bytes", l.t.queued)
	}
	for len(l.t.pairs) > 0 {
		l.t.forget(l.t.pairs[0])
	}
	if l.t.queued != 0 {
		t.Errorf("%d bytes of nothing", l.t.queued)
	}
}

// TestConnectAgain: an answer to a request to connect that is sent again begins nothing.
func TestConnectAgain(t *testing.T) {
	l := newLink().connect()
	l.send(0, ib.SendFirst, 100, "a")
	l.connect()
	l.send(0, ib.SendLast, 101, "b")
	l.want(t, 0, "ab")
	if n := len(l.t.Pairs()); n != 1 {
		t.Errorf("%d pairs", n)
	}
}

// TestDisconnect: who leaves is told, by queue pair and by the ids of the ends.
func TestDisconnect(t *testing.T) {
	l := newLink().connect()
	l.cm(1, ib.CM{Attribute: ib.DisconnectRequest, LocalID: 8, RemoteID: 7, QP: l.qp[0]})
	l.cm(0, ib.CM{Attribute: ib.DisconnectReply, LocalID: 7, RemoteID: 8})
	l.cm(0, ib.CM{Attribute: ib.DisconnectReply, LocalID: 77, RemoteID: 8})
	if want := []int{1, 0}; !slices.Equal(l.left, want) || l.t.Pairs()[0].Closed != 3 {
		t.Errorf("%v left, closed in frame %d", l.left, l.t.Pairs()[0].Closed)
	}
}

// TestRefused: a request to connect is refused, for a reason.
func TestRefused(t *testing.T) {
	l := newLink()
	l.cm(0, ib.CM{Attribute: ib.ConnectRequest, LocalID: 7, QP: l.qp[0], HasPort: true, Port: 445})
	l.cm(1, ib.CM{Attribute: ib.ConnectReject, RemoteID: 7, Reason: 8})
	if want := []string{"asked 445", "refused 445 invalid service ID"}; !slices.Equal(l.told, want) {
		t.Errorf("%q", l.told)
	}
}

// TestNotReady: a receiver that is not ready takes a message when it is sent again, once.
func TestNotReady(t *testing.T) {
	l := newLink().connect()
	l.send(0, ib.SendOnly, 100, "a")
	l.answer(1, 100, 0x2c)
	l.send(0, ib.SendOnly, 100, "a")
	l.answer(1, 100, 0x1f)
	l.want(t, 0, "a")
	if p := l.t.Pairs()[0]; p.NotReady != 1 || p.Repeated != 1 || p.Refused != 0 {
		t.Errorf("%+v", p)
	}
}

// TestCoalesced: one acknowledgement of several messages leaves no hole.
func TestCoalesced(t *testing.T) {
	l := newLink().connect()
	for i := range uint32(20) {
		l.send(0, ib.SendOnly, 100+i, "a")
	}
	l.answer(1, 119, 0x1f)
	if len(l.got[0]) != 20 || l.holes != 0 {
		t.Errorf("%d messages, %d holes", len(l.got[0]), l.holes)
	}
}

// TestCongestion: marks and notifications are counted.
func TestCongestion(t *testing.T) {
	l := newLink().connect()
	l.with(0, ib.Packet{Opcode: ib.SendOnly, PSN: 100, FECN: true}, "a")
	l.with(1, ib.Packet{Opcode: ib.CongestionNotification, BECN: true}, "")
	if p := l.t.Pairs()[0]; p.Marked != 1 || p.Notified != 1 {
		t.Errorf("%+v", p)
	}
}

// TestRivals: two queue pairs fit an acknowledgement, and it is told.
func TestRivals(t *testing.T) {
	l := newLink()
	l.send(0, ib.SendOnly, 5000, "one")
	was := l.qp[1]
	l.qp[1] = 0x99
	l.send(0, ib.SendOnly, 5000, "another")
	l.qp[1] = was
	l.answer(1, 5000, 0x1f)
	if p := l.t.Pairs(); len(p) != 2 || p[0].Rivals+p[1].Rivals != 1 {
		t.Errorf("%+v", p)
	}
}

// TestRefusedRead: an operation that was refused says what the refusal said.
func TestRefusedRead(t *testing.T) {
	l := newLink().connect()
	l.with(1, ib.Packet{Opcode: ib.ReadRequest, PSN: 0xfffffe, Address: 0x1000, RKey: 9, Length: 3000}, "")
	l.answer(0, 0xfffffe, 0x62)
	if o := l.ops[0]; o.Refused != "NAK, Remote Access Error" || o.Complete() {
		t.Errorf("%+v", o)
	}
}

// TestAllOpcodes: every operation of a reliable connection takes its place in the sequence.
func TestAllOpcodes(t *testing.T) {
	l := newLink().connect()
	psn := uint32(100)
	for _, op := range []ib.Opcode{ib.SendFirst, ib.SendMiddle, ib.SendLastImmediate, ib.SendOnlyImmediate, ib.WriteFirst, ib.WriteMiddle, ib.WriteLastImmediate,
		ib.WriteOnlyImmediate, ib.CompareSwap, ib.FetchAdd, ib.SendFirst, ib.SendLastInvalidate, ib.SendOnlyInvalidate, ib.SendOnly} {
		l.with(0, ib.Packet{Opcode: op, PSN: psn, Length: 3}, "x")
		psn++
	}
	l.want(t, 0, "xxx", "x", "xx", "x", "x")
	if len(l.ops) != 2 || l.holes != 0 || l.repeat != 0 {
		t.Errorf("%d operations, %d holes, %d repeated", len(l.ops), l.holes, l.repeat)
	}
}
