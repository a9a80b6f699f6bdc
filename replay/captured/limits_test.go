package captured

import (
	"path/filepath"
	"testing"

	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/replay/server"
)

// TestLimits: a client that opens and opens is refused in the end, one that opens and
// closes is not, and nothing is left of either.
func TestLimits(t *testing.T) {
	c := capture(t, filepath.Join("..", "testdata", "scopy_50m.pcap"), nil)
	r, err := Read(c)
	if err != nil {
		t.Fatal(err)
	}
	var connect, create []byte // as the captured client asked
	err = c.EachMessage(func(m *flows.Message) bool {
		if !m.FromServer && m.Bytes[12] == byte(smb2.TreeConnect) {
			connect = append([]byte(nil), m.Bytes...)
		}
		if !m.FromServer && m.Bytes[12] == byte(smb2.Create) {
			create = append([]byte(nil), m.Bytes...)
		}
		return create == nil
	})
	if err != nil || connect == nil || create == nil {
		t.Fatal(err)
	}
	s := New(r, Fail)
	for _, closes := range []bool{false, true} {
		p := s.Connect(silent{})
		var memo any
		ask(p, connect, &memo)
		refused := 0
		for range maxOpens + 10 {
			cursor := wire.New(create, nil)
			a := server.Asked{Message: new(smb2.Decoder).Decode(&cursor, nil), Raw: create, Chain: &memo}
			a.Session, a.Tree = a.SessionID, wire.GetU32(connect[36:])
			st, body := p.Answer(&a).Make()
			switch {
			case st == ntstatus.InsufficientResources:
				refused++
			case st != ntstatus.Success:
				t.Fatal(st)
			case closes:
				q := smb2.CloseRequest{}
				copy(q.File[:], body[64:])
				h := smb2.Header{Command: smb2.Close, SessionID: a.SessionID, TreeID: a.Tree}
				ask(p, q.Append(h.Append(nil)), &memo)
			}
		}
		if closes != (refused == 0) || len(s.files) > maxOpens || closes && len(s.files) > maxClosed {
			t.Errorf("closing %v: %d refused, %d files", closes, refused, len(s.files))
		}
		p.Close()
		if len(s.files)+len(s.players) > 0 {
			t.Errorf("%d files and %d players are left", len(s.files), len(s.players))
		}
	}
}
