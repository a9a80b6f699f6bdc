package audit

import (
	"bytes"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/odxray/odxray/flows"
)

// any is one of the frames.
func (m *tape) any(r *rand.Rand) int { return m.packets[r.IntN(len(m.packets))].Number }

// TestHarmedCaptures: whatever a capture lacks, and whatever the network does on the way,
// nobody is blamed for it: no error and no warning comes to those of the whole capture.
func TestHarmedCaptures(t *testing.T) {
	rounds, _ := strconv.Atoi(os.Getenv("ODXRAY_HARM")) // more than a test has time for
	rounds = max(rounds, 1)
	harms := []struct {
		name string
		do   func(m *tape, r *rand.Rand)
	}{
		{"a frame lost", func(m *tape, r *rand.Rand) { m.lose(m.any(r)) }},
		{"frames lost", func(m *tape, r *rand.Rand) {
			i := m.at(m.any(r))
			m.packets = slices.Delete(m.packets, i, min(i+1+r.IntN(20), len(m.packets)))
		}},
		{"many frames lost", func(m *tape, r *rand.Rand) {
			for range 50 {
				m.lose(m.any(r))
			}
		}},
		{"a frame twice", func(m *tape, r *rand.Rand) {
			for range 50 {
				n := m.any(r)
				i := m.at(n)
				m.again(n, m.packets[min(i+r.IntN(4), len(m.packets)-1)].Number)
			}
		}},
		{"a frame overtaken", func(m *tape, r *rand.Rand) {
			for range 50 {
				i := 1 + r.IntN(len(m.packets)-1)
				a, b := &m.packets[i-1], &m.packets[i]
				// Of one direction: nothing overtakes what it answers.
				if len(a.Data) > 54 && len(b.Data) > 54 && (segment(a.Data).ip() == 4 && bytes.Equal(a.Data[26:34], b.Data[26:34]) || bytes.Equal(a.Data[22:54], b.Data[22:54])) {
					*a, *b = *b, *a
				}
			}
		}},
		{"the directions captured apart", func(m *tape, r *rand.Rand) {
			for range 50 {
				i := 1 + r.IntN(len(m.packets)-1)
				m.packets[i-1], m.packets[i] = m.packets[i], m.packets[i-1]
			}
		}},
		{"a late start", func(m *tape, r *rand.Rand) { m.from(m.any(r)) }},
		{"an early end", func(m *tape, r *rand.Rand) { m.until(m.any(r)) }},
		{"frames cut", func(m *tape, r *rand.Rand) {
			for range 20 {
				p := &m.packets[r.IntN(len(m.packets))]
				p.Data = p.Data[:min(len(p.Data), 60+r.IntN(200))]
			}
		}},
		{"a snap length", func(m *tape, r *rand.Rand) {
			n := 90 + r.IntN(700)
			for i := range m.packets {
				p := &m.packets[i]
				p.Data = p.Data[:min(len(p.Data), n)]
			}
		}},
	}
	for _, name := range []string{"odx-multi-30", "odx-tcp-311", "odx-rocev2-311-multi", "odx-unsupported-30", "rocev2-311-mtu4096", "siw-311-mpa1-crc", "tcp-311-multichannel", "torture_smb2_multichannel"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clean, _ := load(t, name).findings()
			for _, h := range harms {
				for seed := range uint64(rounds) {
					m := load(t, name)
					h.do(m, rand.New(rand.NewPCG(seed, uint64(len(name)))))
					found, r := m.findings()
					for _, c := range r.Copies {
						if c.Source.File != 0 && c.Verdict != flows.Complete && c.Uncertain == "" && h.name != "an early end" {
							t.Errorf("%s, %d: the copy of %s is %v, gaps %v, frames %d to %d", h.name, seed, files(&c), c.Verdict, c.Gaps, c.FirstFrame, c.LastFrame)
						}
					}
					for what, n := range found {
						if clean[what] > 0 || strings.HasPrefix(what, "note ") {
							continue
						}
						t.Errorf("%s, %d: %d %s, none in the whole capture", h.name, seed, n, what)
						for _, f := range r.Findings {
							if f.Level.String()+" "+f.Rule == what {
								t.Logf("   %v %s", f.Frames, f.Message)
							}
						}
					}
				}
			}
		})
	}
}
