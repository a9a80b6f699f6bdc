package captured

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/replay/server"
)

// silent is a connection that nobody listens to.
type silent struct{}

func (silent) Logf(string, ...any)  {}
func (silent) Break(uint64, []byte) {}

// ask puts a message to a player as the server would, and makes the answer.
func ask(p server.Player, b []byte, memo *any) {
	c := wire.New(b, nil)
	m := new(smb2.Decoder).Decode(&c, nil)
	if m == nil || m.Err != nil || c.Failed() || m.Flags&smb2.FlagResponse != 0 {
		return
	}
	if n, ok := m.Body.(*smb2.NegotiateRequest); ok {
		p.Negotiate(n)
		return
	}
	switch m.Command {
	case smb2.SessionSetup, smb2.Cancel, smb2.Echo:
		return
	}
	if r := p.Answer(&server.Asked{Message: m, Raw: b, Session: m.SessionID, Tree: m.TreeID, Related: m.Flags&smb2.FlagRelated != 0, Chain: memo}); r != nil && r.Make != nil {
		if r.Make(); r.Connected != nil {
			r.Connected(m.TreeID)
		}
	}
}

// FuzzPlayer: whatever a client sends after what the captured one sent, there is an
// answer, or none.
func FuzzPlayer(f *testing.F) {
	c, err := flows.Open([]string{filepath.Join("..", "testdata", "scopy_50m.pcap")}, flows.Options{Index: true})
	if err != nil {
		f.Fatal(err)
	}
	defer c.Close()
	if err := c.Run(f.Context()); err != nil {
		f.Fatal(err)
	}
	r, err := Read(c)
	if err != nil {
		f.Fatal(err)
	}
	var requests [][]byte
	err = c.EachMessage(func(m *flows.Message) bool {
		if !m.FromServer {
			requests = append(requests, append([]byte(nil), m.Bytes...))
			f.Add(requests[len(requests)-1], uint8(len(requests)), uint8(len(requests)))
		}
		return true
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte, before, unmatched uint8) {
		s := New(r, Unmatched(Choices[int(unmatched)%len(Choices)]))
		p := s.Connect(silent{})
		var memo any
		for _, q := range requests[:min(int(before), len(requests))] {
			ask(p, q, &memo)
		}
		ask(p, b, &memo)
		p.Close()
		_ = told(t, s)
	})
}

// TestCut: of a capture that is cut anywhere, what is left is served.
func TestCut(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("..", "testdata", "scopy_50m.pcap"))
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "cut.pcap")
	least := 0
	for n := 24; n <= len(b); n += 331 {
		if err := os.WriteFile(name, b[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := flows.Open([]string{name}, flows.Options{Index: true})
		if err != nil {
			t.Fatal(err)
		}
		_ = c.Run(t.Context()) // that it is cut is said elsewhere
		r, err := Read(c)
		if err != nil {
			t.Fatalf("%d bytes: %v", n, err)
		}
		if len(r.steps) < least {
			t.Errorf("%d bytes: %d requests, and %d of fewer", n, len(r.steps), least)
		}
		least = len(r.steps)
		for i := range r.steps {
			if a := r.steps[i].answer; a >= 0 {
				if _, err := r.message(a); err != nil {
					t.Errorf("%d bytes: the answer to frame %d: %v", n, r.steps[i].frame, err)
				}
			}
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if least < 30 {
		t.Errorf("%d requests in all", least)
	}
}
