package audit

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/odxray/odxray/flows"
)

// TestRealCaptures holds what docs/odx-captures.md lists: how often each rule is
// reported at error or warning level.
func TestRealCaptures(t *testing.T) {
	dir := filepath.Join(cmp.Or(os.Getenv("ODXRAY_CAPTURES"), filepath.Join("..", "..", "..", "shared", "captures")), "own")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("no captures: ", err)
	}
	for file, want := range map[string]string{
		"copy-sparse2.snoop": "",
		"scopy_50m.pcap":     "",
		"odx-faults-30.pcap.zst": "token/altered 1, token/unknown 3, odx/struct-size 5, copy/misplaced 1, token/one-shot 1, token/refused 3, copy/overlap 1, " +
			"token/overrun-asked 4, odx/unaligned 4, odx/read-empty 3, odx/output-small 1, token/stale-source 1, token/other-session 1, copy/abandoned 2, copy/not-presized 1",
		"odx-multi-30.pcap.zst":                 "odx/read-empty 2",
		"odx-tcp-311.pcap.zst":                  "odx/result-unaligned 2, odx/unaligned 1, odx/read-empty 2",
		"odx-rocev2-311-multi.pcap.zst":         "odx/result-unaligned 2, odx/unaligned 1, odx/read-empty 2",
		"odx-tcp-311-leasebreak-stall.pcap.zst": "copy/lease-stall 2",
		"odx-unsupported-30.pcap.zst":           "token/unknown 1, chunk/key-unknown 1, odx/unaligned 1, copy/fell-back 1, chunk/short 1, copy/overlap 1",
		"impacket_ops.pcap":                     "odx/struct-size 2",
	} {
		t.Run(file, func(t *testing.T) {
			c, err := flows.Open([]string{filepath.Join(dir, file)}, flows.Options{Judge: Judge})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if err := c.Run(context.Background()); err != nil {
				t.Fatal(err)
			}
			got := make(map[string]int)
			for _, f := range c.Results().Findings {
				if f.Level > flows.Note {
					got[f.Rule]++
				}
			}
			for _, part := range strings.Split(want, ", ") {
				if rule, n, ok := strings.Cut(part, " "); ok && fmt.Sprint(got[rule]) != n {
					t.Errorf("%s: %d, not %s", rule, got[rule], n)
				} else {
					delete(got, rule)
				}
			}
			if len(got) > 0 {
				t.Errorf("also %v", got)
			}
		})
	}
}
