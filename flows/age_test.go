package flows

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/odxray/odxray/captures"
)

// TestAge plays a client that logs in, copies and leaves, from one address after the
// other: what is over is forgotten, each copy is found complete before that, and the heap
// does not grow.
func TestAge(t *testing.T) {
	dir := os.Getenv("ODXRAY_CAPTURES")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "captures")
	}
	r, err := captures.Open(filepath.Join(dir, "own", "scopy_50m.pcap"))
	if err != nil {
		t.Skip("no shared captures: ", err)
	}
	defer r.Close()
	var list []captures.Packet
	var p captures.Packet
	for r.Next(&p) == nil {
		p.Data = bytes.Clone(p.Data)
		list = append(list, p)
	}
	client := bytes.Clone(list[0].Data[26:30]) // the source of the first SYN
	const keep, clients = 50, 2000
	for _, o := range []Options{{Forget: keep}, {Forget: keep, Index: true, MaxMemory: 4 << 20}} {
		t.Run(fmt.Sprintf("index %v", o.Index), func(t *testing.T) {
			a := NewAnalyzer(o)
			play := func(n int) {
				for _, q := range list {
					data := bytes.Clone(q.Data)
					for _, at := range []int{26, 30} {
						if bytes.Equal(data[at:at+4], client) {
							binary.BigEndian.PutUint32(data[at:], 10<<24+uint32(n))
						}
					}
					q.Data, q.Time = data, q.Time+int64(n)*60e9
					a.Packet(&q)
				}
			}
			heap := func() uint64 {
				var m runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&m)
				return m.HeapAlloc
			}
			var half uint64
			for n := range clients {
				play(n + 1)
				if n == clients/2 {
					half = heap()
				}
				if n%100 != 0 {
					continue
				}
				r := a.Results()
				if c := r.Copies[len(r.Copies)-1]; c.Verdict != Complete || !c.Closed || c.ID != n+1 {
					t.Fatalf("after %d clients the last copy is %+v", n+1, c)
				}
				if s := r.Sessions[len(r.Sessions)-1]; s.User == "" {
					t.Errorf("%+v", s)
				}
			}
			r := a.Results()
			most := 2*keep + checkEvery/len(list) + 10
			if o.Index {
				most *= 6 // exchanges that can be looked at refer to sessions
			}
			for what, n := range map[string]int{"copies": len(r.Copies), "connections": len(r.Connections), "sessions": len(r.Sessions), "opens": len(a.openByKey), "trees": len(a.treeByKey) / 3} {
				if n > most || n == 0 && what != "opens" && what != "trees" {
					t.Errorf("%d %s are known", n, what)
				}
			}
			said := fmt.Sprint(r.Problems)
			for _, want := range []string{"copies that were over have been forgotten", "sessions that were over", "connections that were over"} {
				if !bytes.Contains([]byte(said), []byte(want)) {
					t.Errorf("nothing says that %s", want)
				}
			}
			if now := heap(); now > half+half/4+1<<20 {
				t.Errorf("the heap grew from %d to %d", half, now)
			} else {
				t.Logf("heap %d KB after %d clients, %d KB after %d", half>>10, clients/2, now>>10, clients)
			}
			a.Flush()
			if got := a.Results().Copies; got[len(got)-1].ID != clients {
				t.Errorf("the last copy has become %d", got[len(got)-1].ID)
			}
		})
	}
}
