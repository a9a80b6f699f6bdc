package audit

import (
	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/flows"
)

var copyRules = []Rule{
	{ID: "copy/gap", Level: flows.Error, check: copyGap,
		Meaning: "A range of the destination was written by nothing in the capture.",
		Advice:  "Compare the files: unless the destination held the same bytes before, the copy is not one.",
		Spec:    "[MS-FSA] 2.1.5.10.19"},
	{ID: "copy/token-churn", Level: flows.Note, check: copyTokenChurn,
		Meaning: "The server moves far less per call than it was asked for.",
		Advice:  "Raise the server's limits for one offload write or one token: every call costs a round trip.",
		Spec:    "[MS-FSCC] 2.3.44"},
}

func copyGap(j *judge) {
	for i := range j.Copies {
		c := &j.Copies[i]
		if !j.Done || len(c.Covered) == 0 {
			continue
		}
		last := c.Covered[len(c.Covered)-1].End
		for _, g := range c.Gaps {
			if g.Start >= last {
				continue // a missing tail is no gap
			}
			f := j.report([]int{c.FirstFrame, c.LastFrame}, "bytes %d to %d of %q were not written", g.Start, g.End, c.Destination.Path)
			f.Copy = c.ID
			doubt(f, j.missing())
		}
	}
}

// churn is how much less than asked for a call must move to be worth a note.
const churn = 8

func copyTokenChurn(j *judge) {
	for i := range j.Copies {
		c := &j.Copies[i]
		mints, short, small, calls := 0, 0, 0, 0
		var proof []int
		for k := range j.Mints {
			m := &j.Mints[k]
			if m.Copy != c.ID || !judged(m) {
				continue
			}
			mints++
			if m.Length < m.Asked/churn {
				small++
			}
			for u := range m.Uses {
				use := &m.Uses[u]
				if use.Status != ntstatus.Success || use.Written == 0 {
					continue
				}
				if use.Written < use.Asked/churn {
					short++
					if proof == nil {
						proof = []int{use.Frame, use.Response}
					}
				}
				break
			}
			calls += len(m.Uses)
		}
		switch {
		case mints > 0 && short*2 > mints:
			f := j.report(proof, "the server moves %d bytes of %d asked for: %d calls spend %d tokens, %d more round trips than tokens need",
				j.first(proof[0]).Moved, j.first(proof[0]).Asked, calls, mints, calls-mints)
			f.Copy = c.ID
			f.Mint = j.mintUsedIn(proof[0])
		case mints >= 4 && small*2 > mints:
			f := j.report([]int{c.FirstFrame}, "%d tokens, most for less than 1/%d of what was asked for", mints, churn)
			f.Copy = c.ID
		}
	}
}

// first returns the call whose request is that frame.
func (j *judge) first(frame int) (k flows.Call) {
	for i := range j.Copies {
		for _, k := range j.Copies[i].Calls {
			if k.Frame == frame && k.Function == fscc.OffloadWrite {
				return k
			}
		}
	}
	return k
}

func (j *judge) mintUsedIn(frame int) string {
	for i := range j.Mints {
		for u := range j.Mints[i].Uses {
			if j.Mints[i].Uses[u].Frame == frame {
				return j.Mints[i].ID
			}
		}
	}
	return ""
}
