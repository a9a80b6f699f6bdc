package replay

import (
	"context"
	"testing"
	"time"

	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/replay/client"
)

// FuzzStep: whatever a capture holds as a request and its answer, and whatever a server
// answers, nothing panics.
func FuzzStep(f *testing.F) {
	for _, path := range []string{"testdata/scopy_50m.pcap", sample} {
		p, _ := captured(f, nil, path)
		for i := range p.Steps {
			if s := &p.Steps[i]; i%3 == 0 && s.Answered() {
				f.Add(s.Request, s.Answer, s.Answer)
			}
		}
	}
	f.Fuzz(func(t *testing.T, request, answer, live []byte) {
		h, ok := readHeader(request)
		if _, answered := readHeader(answer); !ok || !answered {
			return
		}
		p := &Plan{
			Conns: []Conn{{ID: 1, Host: 1}}, Groups: []Group{{Steps: []int{1}, Sent: 1, Done: 2}},
			Slots: []Slot{{Kind: SlotSession, Old: make([]byte, 8), Parent: -1, Defined: 1}, {Kind: SlotTree, Old: make([]byte, 4), Parent: 0, Path: `\\a\b`, Defined: 1}},
		}
		s := Step{ID: 1, Header: h, Request: request, Size: len(request) + len(live)%3, Answer: answer, AnsSize: len(answer), Session: 0, Tree: 1}
		s.Exchange = flows.Exchange{Command: h.Command, File: "f"}
		var d decoder
		list, m := d.locate(request, s.Size, nil)
		if q, ok := m.Body.(*smb2.IoctlRequest); ok {
			s.Exchange.Function, s.Context.Request.Function = q.Function, q.Function
		}
		for i, l := range list {
			p.Slots = append(p.Slots, Slot{Kind: l.kind, Old: append([]byte(nil), l.value...), Parent: -1, Number: i, Defined: 1, Path: "g"})
			s.Uses = append(s.Uses, Use{len(p.Slots) - 1, l.off, len(l.value)})
		}
		p.Steps = []Step{s}
		p.order()
		p.Manifest()
		p.changes(&p.Steps[0])
		r := newRun(p, Options{Target: Target{Host: "h", Share: "s", Dir: "d"}, Missing: MissingZero, TimeOut: time.Second})
		for i := range p.Slots {
			r.setValue(i, p.Slots[i].Old)
		}
		if len(live)%3 == 0 { // else it would make up as much
			_, _ = r.request(&p.Steps[0])
		}
		if _, ok := readHeader(live); !ok || h.Command == smb2.QueryDirectory {
			return
		}
		a := &client.Answer{Message: live}
		a.Status = statusOf(live)
		o := Outcome{Answer: live}
		r.minted(&p.Steps[0], a, &o)
		r.learn(&p.Steps[0], &client.Session{}, a)
		r.compare(context.Background(), &p.Steps[0], nil, &o)
		x := extraction{plan: p, pipes: make(pipes), current: make(map[slotKey]int), numbers: make(map[SlotKind]int)}
		x.offered(&p.Steps[0])
		x.presented(&p.Steps[0])
		x.snapshot(&p.Steps[0])
	})
}
