package audit

import (
	"github.com/odxray/odxray/flows"
)

// zeroData is the token type that stands for zeros. [MS-FSCC] 2.1.11
const zeroData = 0xffff0001

var tokenRules = []Rule{
	{ID: "token/unused", Level: flows.Warning, check: tokenUnused,
		Meaning: "A token was minted and never presented.",
		Advice:  "The client threw away what the server had prepared: look at what it did instead.",
		Spec:    "[MS-FSA] 2.1.5.10.18"},
	{ID: "token/part-used", Level: flows.Warning, check: tokenPartUsed,
		Meaning: "A token was spent in part: bytes below the source's end of file were never written from it.",
		Advice:  "See copy/gap and copy/abandoned for whether the rest went another way.",
		Spec:    "[MS-FSA] 2.1.5.10.19"},
}

// judged reports whether token rules apply to a mint at all.
func judged(m *flows.Mint) bool { return m.Type != zeroData && m.Length > 0 }

// ended reports whether what a mint was made for is over.
func (j *judge) ended(m *flows.Mint) bool { return j.Done }

func tokenUnused(j *judge) {
	for i := range j.Mints {
		m := &j.Mints[i]
		if !judged(m) || len(m.Uses) > 0 || !j.ended(m) {
			continue
		}
		f := j.report([]int{m.Frame}, "token %s for %d bytes of %q from offset %d was never presented", m.ID, m.Length, m.Source, m.Offset)
		f.Mint, f.Copy = m.ID, m.Copy
		doubt(f, j.missing())
	}
}

func tokenPartUsed(j *judge) {
	for i := range j.Mints {
		m := &j.Mints[i]
		if !judged(m) || len(m.Uses) == 0 || !j.ended(m) {
			continue
		}
		want := flows.Range{Start: 0, End: m.Length}
		if c := j.copyOf(m.Copy); c != nil && c.Source.HasSize && c.Source.Size < m.Offset+m.Length {
			want.End = max(c.Source.Size, m.Offset) - m.Offset
		}
		left := flows.Ranges(m.Consumed).Gaps(want)
		if len(left) == 0 {
			continue
		}
		f := j.report([]int{m.Frame}, "of token %s, %d of %d bytes were never written, the first at its offset %d", m.ID, left.Len(), m.Length, left[0].Start)
		f.Mint, f.Copy = m.ID, m.Copy
		doubt(f, j.missing())
	}
}

// copyOf returns the copy with that id, or nil.
func (j *judge) copyOf(id int) *flows.Copy {
	for i := range j.Copies {
		if j.Copies[i].ID == id {
			return &j.Copies[i]
		}
	}
	return nil
}
