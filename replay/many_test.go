package replay

import (
	"context"
	"net"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/odxray/odxray/replay/client"
	"github.com/odxray/odxray/replay/smbdtest"
)

// many: several clients replay at once, each several times, without seeing each other, and
// leave nothing behind.
func many(t *testing.T, server *smbdtest.Server) {
	p, _ := captured(t, nil, "testdata/scopy_50m.pcap")
	o := at(t, server, smbdtest.Shared, "many")
	var mu sync.Mutex
	conns := make(map[int]string)
	o.Tap = func(conn int, local, _ net.Addr, _ *client.Unit) {
		mu.Lock()
		defer mu.Unlock()
		if was, ok := conns[conn]; ok && was != local.String() {
			t.Errorf("connection %d is %s and %s", conn, was, local)
		}
		conns[conn] = local.String()
	}
	r, err := Many(context.Background(), p, o, p.Manifest(), true, 2, 2)
	if err != nil {
		t.Fatal(err)
	}
	if r.Differs() || len(conns) != 4*len(p.Conns) {
		t.Errorf("%v over %d connections", r.Counts(), len(conns))
	}
	last := r.Notes[len(r.Notes)-1]
	if !strings.HasPrefix(last, "4 runs, 2 at once: in 4 of them every answer is the same or known; ") {
		t.Errorf("notes: %q", r.Notes)
	}
	if left, _ := os.ReadDir(server.Dir); len(left) > 0 {
		t.Errorf("%s was left behind", left[0].Name())
	}
}
