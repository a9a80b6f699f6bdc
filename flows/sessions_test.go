package flows

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/odxray/odxray/flows/flowtest"
)

// exchangesOf returns all exchanges of a played capture.
func exchangesOf(a *Analyzer) (list []Exchange) {
	for i := 1; i < a.exchanges.list.n; i++ {
		var x Exchange
		a.exchange(uint32(i), &x)
		list = append(list, x)
	}
	return list
}

const share = `\\10.0.0.2\share`

// TestDurableOpen: a client that reconnects goes on with the same open.
func TestDurableOpen(t *testing.T) {
	var c flowtest.Capture
	s := c.Login("10.0.0.1:50000", "10.0.0.2:445", share)
	f := s.OpenDurable("file", [16]byte{1, 2, 3})
	s.Read(f, 0, make([]byte, 100))
	s.Reset(0)
	again := c.Login("10.0.0.1:50001", "10.0.0.2:445", share)
	g := again.Reconnect("", f, [16]byte{1, 2, 3})
	again.Read(g, 100, make([]byte, 100))
	again.Close(g)

	a := play(c.Packets)
	var opens []uint32
	for i := range a.exchanges.list.n {
		if e := a.exchanges.at(uint32(i)); e.open != 0 {
			opens = append(opens, e.open)
			if name := a.fileName(e); name != "file" && e.name != 0 {
				t.Errorf("exchange %d is about %q", i, name)
			}
		}
	}
	if len(opens) != 5 || opens[0] != opens[4] {
		t.Errorf("opens %d, want five times the same", opens)
	}
	if r := a.Results(); r.Durables != 1 || r.Resumptions != 1 || r.Opens != 1 {
		t.Errorf("%d durable, %d resumed, %d opens", r.Durables, r.Resumptions, r.Opens)
	}
}

// TestEndOfConnection: what is not durable ends with its connection.
func TestEndOfConnection(t *testing.T) {
	var c flowtest.Capture
	s := c.Login("10.0.0.1:50000", "10.0.0.2:445", share)
	s.Open("lost", 1)
	s.OpenDurable("kept", [16]byte{9})
	s.Reset(0)
	if r := play(c.Packets).Results(); r.Sessions[0].Opens != 1 {
		t.Errorf("%d opens are left, want the durable one", r.Sessions[0].Opens)
	}
}

// TestEnds: LOGOFF and TREE_DISCONNECT end opens.
func TestEnds(t *testing.T) {
	for _, command := range []uint16{2, 4} {
		var c flowtest.Capture
		s := c.Login("10.0.0.1:50000", "10.0.0.2:445", share)
		s.OpenDurable("a", [16]byte{9})
		f := s.Open("b", 1)
		s.Call(command, []byte{4, 0, 0, 0}, []byte{4, 0, 0, 0})
		ended := s.Answer
		s.Status = flowtest.InvalidRequest
		s.Close(f) // too late, but its name is known
		a := play(c.Packets)
		r, list := a.Results(), exchangesOf(a)
		if x := list[len(list)-1]; x.File != "b" {
			t.Errorf("command %d: the late CLOSE is of %q", command, x.File)
		}
		if r.Sessions[0].Opens != 0 || command == 2 && r.Sessions[0].Ended != ended {
			t.Errorf("command %d: %+v", command, r.Sessions[0])
		}
	}
}

// TestSessionIDsAgain: one id is another session once a server gives it anew, and on
// another server.
func TestSessionIDsAgain(t *testing.T) {
	var c flowtest.Capture
	for _, server := range []string{"10.0.0.2:445", "10.0.0.3:445", "10.0.0.2:445"} {
		s := &flowtest.Client{Conn: c.Dial("10.0.0.1:50000", server), Session: 77, Tree: 7}
		s.Setup(share)
		s.Close(s.Open("file", 1))
		s.Reset(0)
	}
	var got []string
	for _, s := range play(c.Packets).Results().Sessions {
		got = append(got, s.Server)
		if s.ID != 77 || len(s.Conns) != 1 || len(s.Trees) != 1 {
			t.Errorf("%+v", s)
		}
	}
	if d := cmp.Diff([]string{"10.0.0.2", "10.0.0.3", "10.0.0.2"}, got); d != "" {
		t.Errorf("servers: %s", d)
	}
}

// TestPreviousSession: a client that comes back ends the session that it had.
func TestPreviousSession(t *testing.T) {
	var c flowtest.Capture
	first := c.Login("10.0.0.1:50000", "10.0.0.2:445", share)
	first.Open("file", 1)
	second := &flowtest.Client{Conn: c.Dial("10.0.0.1:50001", "10.0.0.2:445"), Session: 99, Tree: 7, Previous: first.Session}
	second.Setup(share)
	r := play(c.Packets).Results()
	if len(r.Sessions) != 2 || r.Sessions[0].Ended == 0 || r.Sessions[0].Opens != 0 || r.Sessions[1].Previous != first.Session {
		t.Errorf("%+v", r.Sessions)
	}
}

// TestCancel: a CANCEL is part of the exchange that it ends, whatever it is named by.
func TestCancel(t *testing.T) {
	for _, pending := range []bool{false, true} {
		var c flowtest.Capture
		s := c.Login("10.0.0.1:50000", "10.0.0.2:445", share)
		f := s.Open("dir", 0)
		frame := 0
		s.Pending, s.Status = pending, flowtest.Cancelled
		s.Meet = func() { frame = s.Cancel(pending) }
		s.Watch(f)
		list := exchangesOf(play(c.Packets))
		x := list[len(list)-1]
		if x.CancelFrame != frame || x.Status != flowtest.Cancelled || (x.InterimFrame != 0) != pending || (x.InterimTime != 0) != pending {
			t.Errorf("pending %v: %+v", pending, x)
		}
		if d, ok := x.Pending(); ok != pending || ok && d <= 0 {
			t.Errorf("pending %v for %v", pending, d)
		}
	}
}

// TestLeftPending: what still waits at the end of the capture has no answer.
func TestLeftPending(t *testing.T) {
	var c flowtest.Capture
	s := c.Login("10.0.0.1:50000", "10.0.0.2:445", share)
	f := s.Open("dir", 0)
	s.Pending, s.Mute = true, true
	s.Watch(f)
	list := exchangesOf(play(c.Packets))
	if x := list[len(list)-1]; x.InterimFrame == 0 || x.AnswerFrame != 0 || x.File != "dir" {
		t.Errorf("%+v", x)
	}
}

// TestReplay: what says that it is sent again is shown as such.
func TestReplay(t *testing.T) {
	var c flowtest.Capture
	s := c.Login("10.0.0.1:50000", "10.0.0.2:445", share)
	f := s.Open("file", 1)
	s.Flags, s.Sequence = 1<<29, 3
	s.Write(f, 0, []byte("x"))
	list := exchangesOf(play(c.Packets))
	if x := list[len(list)-1]; !x.Replay || x.ChannelSequence != 3 {
		t.Errorf("%+v", x)
	}
}

// TestBreaks: an oplock is granted, broken, acknowledged.
func TestBreaks(t *testing.T) {
	var c flowtest.Capture
	s := c.Login("10.0.0.1:50000", "10.0.0.2:445", share)
	s.Oplock = 9 // batch
	f := s.Open("file", 1)
	body := func(level byte) []byte { return append([]byte{24, 0, level, 0, 0, 0, 0, 0}, f.ID[:]...) }
	notified := s.Tell(18, body(1))
	s.Call(18, body(1), body(1))
	r := play(c.Packets).Results()
	if r.Caching.Oplocks != 1 || r.Caching.Breaks != 1 || len(r.Caching.Shown) != 1 {
		t.Fatalf("%+v", r.Caching)
	}
	y := r.Caching.Shown[0]
	if y.Frame != notified || y.File != "file" || y.From.String() != "batch" || y.To.String() != "level II" || !y.Needed ||
		y.Ack != s.Request || y.Kept.String() != "level II" || y.AckTime <= y.Time {
		t.Errorf("%+v", y)
	}
}

// TestLeaseBreak: two opens share a lease, which is not acknowledged.
func TestLeaseBreak(t *testing.T) {
	var c flowtest.Capture
	s := c.Login("10.0.0.1:50000", "10.0.0.2:445", share)
	key := [16]byte{5, 5, 5}
	s.Close(s.OpenLeased("file", key, 7))
	s.OpenLeased("file", key, 7)
	s.OpenLeased("file", key, 7)
	notification := bytes.Clone([]byte{44, 0, 1, 0, 1, 0, 0, 0})
	notification = append(notification, key[:]...)
	for _, state := range []uint32{7, 1, 0, 0, 0} {
		notification = binary.LittleEndian.AppendUint32(notification, state)
	}
	s.Tell(18, notification)
	r := play(c.Packets).Results()
	if r.Caching.Leases != 3 || len(r.Caching.Shown) != 1 {
		t.Fatalf("%+v", r.Caching)
	}
	if y := r.Caching.Shown[0]; y.File != "file" || y.From.String() != "RWH" || y.To.String() != "R" || !y.Needed || y.Ack != 0 {
		t.Errorf("%+v", y)
	}
}

// TestCredits: the window is what was granted less what was charged; a client that
// has spent all is out of credits until the next answer.
func TestCredits(t *testing.T) {
	var c flowtest.Capture
	s := c.Login("10.0.0.1:50000", "10.0.0.2:445", share)
	f := s.Open("file", 1)
	s.Read(f, 0, []byte("x"))
	a := play(c.Packets)
	k := a.Results().Connections[0].Credits
	// NEGOTIATE and SESSION_SETUP do not count as stalls; TREE_CONNECT, CREATE and READ do.
	if !k.Known || k.Window != 1 || k.Most != 1 || k.Charged != 5 || k.Granted != 5 || k.Stalls != 3 || k.Stalled != 3e5 {
		t.Errorf("%+v", k)
	}
	list := exchangesOf(a)
	if x := list[len(list)-1]; x.CreditWait.Microseconds() != 100 {
		t.Errorf("the READ waited for %v", x.CreditWait)
	}
	late := c.Late("10.0.0.1:50009", "10.0.0.2:445")
	late.Read(f, 0, []byte("x"))
	if k := play(c.Packets).Results().Connections[1].Credits; k.Known || k.Charged != 1 {
		t.Errorf("of a late start: %+v", k)
	}
}
