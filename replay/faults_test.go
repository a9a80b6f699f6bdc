package replay

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/odxray/odxray/replay/client"
	"github.com/odxray/odxray/replay/smbdtest"
)

// fault changes what a server sends: frame number n, from 1. It returns what goes on to
// the client, nil to end the connection.
type fault func(n int, frame []byte) []byte

// proxy passes a connection on to a server, with a fault. It ends with the test.
func proxy(t *testing.T, server string, f fault) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", server)
			if err != nil {
				in.Close()
				return
			}
			t.Cleanup(func() { in.Close(); out.Close() })
			go func() { _, _ = io.Copy(out, in); out.Close() }()
			go func() {
				defer in.Close()
				for n := 1; ; n++ {
					var head [4]byte
					if _, err := io.ReadFull(out, head[:]); err != nil {
						return
					}
					frame := make([]byte, 4+binary.BigEndian.Uint32(head[:]))
					copy(frame, head[:])
					if _, err := io.ReadFull(out, frame[4:]); err != nil {
						return
					}
					if frame = f(n, frame); frame == nil {
						return
					}
					if _, err := in.Write(frame); err != nil {
						return
					}
				}
			}()
		}
	}()
	return l.Addr().String()
}

// faulty runs the plan of a capture through a proxy; the target is prepared and cleaned
// directly.
func faulty(t *testing.T, ctx context.Context, server *smbdtest.Server, timeOut time.Duration, f fault) (*Plan, *Result) {
	t.Helper()
	p, _ := captured(t, nil, "testdata/scopy_50m.pcap")
	o := at(t, server, smbdtest.Shared, "replay")
	o.TimeOut = timeOut
	through := proxy(t, server.Addr, f)
	var dialled atomic.Int32
	o.Dial = func(ctx context.Context, address string) (client.Transport, error) {
		if dialled.Add(1) == 1 {
			return client.DialTCP(ctx, address)
		}
		return client.DialTCP(ctx, through)
	}
	ended := make(chan struct{})
	go func() {
		select {
		case <-ended:
		case <-time.After(2 * time.Minute):
			panic("the replay hangs")
		}
	}()
	defer close(ended)
	r, err := At(ctx, p, o, p.Manifest(), true)
	if err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(server.Dir); len(left) > 0 {
		t.Errorf("%s was left behind: %v", left[0].Name(), r.Notes)
	}
	return p, r
}

// first returns the first step that went wrong.
func first(r *Result) (step int, o *Outcome) {
	for i := range r.Outcomes {
		if v := r.Outcomes[i].Verdict; v != Same && v != Skipped {
			return i + 1, &r.Outcomes[i]
		}
	}
	return 0, &Outcome{}
}

// faults: whatever happens on the way, the run ends with a verdict for each step, and the target
// is clean.
func faults(t *testing.T, server *smbdtest.Server) {
	never := make(chan struct{})
	t.Cleanup(func() { close(never) })
	const frame = 12 // somewhere in the middle: the answer to a copychunk
	for _, c := range []struct {
		name  string
		fault fault
		want  string // in the reason of the first step that goes wrong
	}{
		{"dropped", func(n int, b []byte) []byte {
			if n == frame {
				return nil
			}
			return b
		}, "connection is closed"},
		{"garbage", func(n int, b []byte) []byte {
			if n == frame {
				return append(b[:4:4], bytes.Repeat([]byte{0xaa}, len(b)-4)...)
			}
			return b
		}, "no SMB2"},
		{"garbage before all", func(n int, b []byte) []byte { return []byte("HTTP/1.1 400 Bad Request\r\n\r\n") }, "type 0x48"},
		{"cut", func(n int, b []byte) []byte {
			if n == frame {
				return append(b[:3:3], append([]byte{b[3] - 20}, b[4:len(b)-20]...)...)
			}
			return b
		}, ""},
		{"late", func(n int, b []byte) []byte {
			if n == frame {
				<-never
			}
			return b
		}, "no answer within 1 s"},
		{"another status", func(n int, b []byte) []byte {
			if n == 8 { // TREE_DISCONNECT
				b[4+8] = 1
			}
			return b
		}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			timeOut := time.Minute
			if c.name == "late" {
				timeOut = time.Second
			}
			p, r := faulty(t, context.Background(), server, timeOut, c.fault)
			step, o := first(r)
			if step == 0 {
				t.Fatal("nothing went wrong")
			}
			if !strings.Contains(o.Reason, c.want) {
				t.Errorf("step %d %v: %s, want %q", step, o.Verdict, o.Reason, c.want)
			}
			counts := r.Counts()
			if !r.Differs() || counts[Same]+counts[Failed]+counts[Blocked]+counts[Skipped]+counts[Differs]+counts[Unsent] != len(p.Steps) {
				t.Errorf("%v of %d steps", counts, len(p.Steps))
			}
			for i := range r.Outcomes {
				if o := &r.Outcomes[i]; o.Verdict == Blocked && (o.Cause == 0 || o.Cause > i) || o.Verdict != Same && o.Verdict != Blocked && o.Reason == "" && len(o.Differences) == 0 {
					t.Errorf("step %d: %v, cause %d, no reason", i+1, o.Verdict, o.Cause)
				}
			}
		})
	}
}

// deaf: a server that answers nothing any more, not even a CANCEL of what the captured one
// left open, ends in a verdict.
func deaf(t *testing.T, server *smbdtest.Server) {
	never := make(chan struct{})
	t.Cleanup(func() { close(never) })
	p, _ := captured(t, nil, "testdata/scopy_50m.pcap")
	for i := range p.Groups {
		if contains(p.Groups[i].Steps, 29) { // a QUERY_DIRECTORY, as if the capture showed no answer
			p.Groups[i].Done = 0
			p.Steps[28].Answer = nil
		}
	}
	o := at(t, server, smbdtest.Shared, "")
	o.TimeOut = time.Second
	through := proxy(t, server.Addr, func(n int, b []byte) []byte {
		if n == 8 {
			<-never
		}
		return b
	})
	o.Dial = func(ctx context.Context, _ string) (client.Transport, error) { return client.DialTCP(ctx, through) }
	r := Run(context.Background(), p, o)
	if counts := r.Counts(); !r.Differs() || counts[Failed] == 0 {
		t.Errorf("%v", counts)
	}
}

// noCredits: a server that grants none ends in an error that says so.
func noCredits(t *testing.T, server *smbdtest.Server) {
	file := captureDir() + "/own/dialect_smb2_10_sign_off.pcap"
	if _, err := os.Stat(file); err != nil {
		t.Skip("no captures: ", err)
	}
	p, _ := captured(t, nil, file)
	o := at(t, server, smbdtest.Shared, "replay")
	through := proxy(t, server.Addr, func(n int, b []byte) []byte {
		if n > 5 && b[4+16]&8 == 0 { // not signed
			b[4+14], b[4+15] = 0, 0
		}
		return b
	})
	o.Dial = func(ctx context.Context, _ string) (client.Transport, error) { return client.DialTCP(ctx, through) }
	o.Target.Dir = ""
	r := Run(context.Background(), p, o)
	found := false
	for i := range r.Outcomes {
		found = found || strings.Contains(r.Outcomes[i].Reason, "grants no credits")
	}
	if !found || !r.Differs() {
		t.Errorf("%v, nobody says that there are no credits", r.Counts())
	}
}

// A server that is not there is no difference but an error.
func TestUnreachable(t *testing.T) {
	p, _ := captured(t, nil, "testdata/scopy_50m.pcap")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	o := Options{Target: Target{Address: address, Host: "127.0.0.1", Share: "x", User: "u"}}
	if _, err := At(context.Background(), p, o, nil, false); err == nil || !strings.Contains(err.Error(), address) {
		t.Errorf("%v", err)
	}
	if r := Run(context.Background(), p, o); r.Unreachable == nil || !r.Differs() {
		t.Errorf("%v, %v", r.Unreachable, r.Counts())
	}
}

// interrupted: Ctrl-C in the middle leaves a clean target.
func interrupted(t *testing.T, server *smbdtest.Server) {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	p, r := faulty(t, ctx, server, time.Minute, func(n int, b []byte) []byte {
		if n == 12 {
			stop()
		}
		return b
	})
	counts := r.Counts()
	if !r.Interrupted || counts[Unsent] == 0 || counts[Same] == 0 || counts[Unsent]+counts[Same]+counts[Blocked] != len(p.Steps) {
		t.Errorf("interrupted %v, %v", r.Interrupted, counts)
	}
}

// verbatim: the captured bytes as they are get nowhere at a server, and every sort of slot is one
// that has to be filled anew: with any of them left as it was captured, answers differ.
func verbatim(t *testing.T, server *smbdtest.Server) {
	p, _ := captured(t, nil, "testdata/scopy_50m.pcap")
	t.Run("all", func(t *testing.T) {
		c, err := net.Dial("tcp", server.Addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(30 * time.Second))
		transport := client.NewTCP(c)
		same := 0
		for i := range p.Steps {
			s := &p.Steps[i]
			if err := transport.Send(context.Background(), s.Request); err != nil {
				break
			}
			b, err := transport.Receive(1 << 20)
			if err != nil || len(b) < headerSize {
				break
			}
			if statusOf(b) == statusOf(s.Answer) {
				same++
			}
		}
		t.Logf("%d of %d answers are the same before the server ends it", same, len(p.Steps))
		if same > 3 { // NEGOTIATE and the first round of the log-on
			t.Errorf("%d answers of %d are the same", same, len(p.Steps))
		}
	})
	for _, kind := range []SlotKind{SlotFile, SlotResumeKey} {
		t.Run(kind.String(), func(t *testing.T) {
			p, _ := captured(t, nil, "testdata/scopy_50m.pcap")
			for i := range p.Steps {
				s := &p.Steps[i]
				kept := s.Uses[:0:0]
				for _, u := range s.Uses {
					if p.Slots[u.Slot].Kind != kind {
						kept = append(kept, u)
					}
				}
				s.Uses = kept
			}
			r, err := At(context.Background(), p, at(t, server, smbdtest.Shared, "replay"), p.Manifest(), true)
			if err != nil {
				t.Fatal(err)
			}
			step, o := first(r)
			if step == 0 || o.Verdict != Differs || o.Differences[0].Field != "smb2.nt_status" {
				t.Errorf("step %d: %v %v", step, o.Verdict, o.Differences)
			}
		})
	}
}
