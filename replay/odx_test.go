package replay

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/replay/server"
	"github.com/odxray/odxray/replay/server/servertest"
)

// lab starts a lab server with offload as o says.
func lab(t *testing.T, o server.ODX) Options {
	t.Helper()
	s := servertest.Start(t, server.Config{ODX: o})
	return Options{Target: Target{Address: s.Addr, Host: "127.0.0.1", Share: "share", Dir: "lab", User: servertest.User}, Password: servertest.Password}
}

// offloads counts the verdicts of a result's offload calls, and of all other steps those
// that differ.
func offloads(r *Result) string {
	counts := make(map[string]int)
	for i := range r.Plan.Steps {
		s := &r.Plan.Steps[i]
		if s.Header.Command == smb2.Ioctl && (s.Exchange.Function == fscc.OffloadRead || s.Exchange.Function == fscc.OffloadWrite) {
			counts[s.Exchange.Function.String()+" "+r.Outcomes[i].Verdict.String()]++
		}
	}
	return strings.TrimSuffix(strings.TrimPrefix(fmt.Sprint(counts), "map["), "]")
}

// The example's 113 offload writes, which begin within a capture, at servers with the
// limits of the captured one, with smaller ones, with tokens that end early.
func TestOffload(t *testing.T) {
	for _, c := range []struct {
		name string
		odx  server.ODX
		loop bool
		want string
		note string
	}{
		{"exact", server.ODX{}, false, "FSCTL_OFFLOAD_READ same:8 FSCTL_OFFLOAD_WRITE same:113", ""},
		{"loop", server.ODX{}, true, "FSCTL_OFFLOAD_READ same:8 FSCTL_OFFLOAD_WRITE same:113", ""},
		{"illumos", server.ODX{Profile: server.Illumos}, true, "FSCTL_OFFLOAD_READ same:8 FSCTL_OFFLOAD_WRITE same:113", ""},
		{"smaller", server.ODX{TokenMax: 32 << 20, WriteMax: 4 << 20}, false, "FSCTL_OFFLOAD_READ", ""},
		{"smaller, loop", server.ODX{TokenMax: 32 << 20, WriteMax: 4 << 20}, true, "FSCTL_OFFLOAD_READ same:8 FSCTL_OFFLOAD_WRITE same:113", "calls that the captured client did not make"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, _ := captured(t, nil, sample)
			o := lab(t, c.odx)
			o.Loop = c.loop
			r, err := At(context.Background(), p, o, p.Manifest(), true)
			if err != nil {
				t.Fatal(err)
			}
			if got := offloads(r); !strings.HasPrefix(got, c.want) {
				t.Errorf("%s, want %s", got, c.want)
			}
			if !strings.Contains(strings.Join(r.Notes, "\n"), c.note) {
				t.Errorf("notes: %v", r.Notes)
			}
			if c.name == "smaller" && !r.Differs() {
				t.Error("short writes are taken for the captured ones")
			}
		})
	}
}
