package replay

import (
	"testing"
	"time"

	"github.com/odxray/odxray/dissect/smb2"
)

// TestReconnect: a connection that takes a durable open up again does so while the target
// keeps it, whatever the capture's pace.
func TestReconnect(t *testing.T) {
	p := &Plan{
		Conns: make([]Conn, 2), Slots: []Slot{{Kind: SlotFile, Defined: 1}},
		Groups: []Group{{Steps: []int{1}}, {Ends: true, Closes: []int{0}}, {Conn: 1, Steps: []int{2}}, {Conn: 1, Steps: []int{3}}, {Conn: 1, Steps: []int{4}}},
		Steps: []Step{
			{ID: 1, Header: Header{Command: smb2.Create}}, {ID: 2, Group: 2, Header: Header{Command: smb2.Negotiate}},
			{ID: 3, Group: 3, Header: Header{Command: smb2.Create}, Uses: []Use{{Slot: 0}}}, {ID: 4, Group: 4, Header: Header{Command: smb2.Close}},
		},
	}
	for i := range p.Steps {
		p.Steps[i].Session, p.Steps[i].Tree, p.Steps[i].Previous = -1, -1, -1
	}
	r := newRun(p, Options{})
	const hour, minute = time.Hour, time.Minute
	if got := r.hurried(3, hour); got != hour {
		t.Errorf("before anything is known: %v", got)
	}
	r.again.kept[0], r.again.lost[0] = minute, time.Now()
	for g, hurries := range []bool{false, false, true, true, false} {
		if got := r.hurried(g, hour); (got <= minute*3/4) != hurries {
			t.Errorf("group %d: %v", g, got)
		}
	}
	if got := r.hurried(3, 0); got != 0 {
		t.Errorf("what is due: %v", got)
	}
}
