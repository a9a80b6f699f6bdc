package report

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/odxray/odxray/flows"
)

// Live prints what is new in a capture that goes on: a copy when it is over, a finding
// when it stands.
type Live struct {
	w      io.Writer
	f      Format
	s      Style
	j      *jsonWriter
	copies map[int]bool // by Copy.ID, that were printed
	found  map[findingKey]*sighting
	round  int
}

// A findingKey tells findings of one capture apart; a message may change while more is
// found of the same.
type findingKey struct {
	rule, mint  string
	copy, frame int
}

// sighting is since when a finding stands.
type sighting struct {
	since   time.Time
	round   int
	printed bool
}

// settle is how long a finding that is of no copy must stand: what it says may still be
// answered.
const settle = 2 * time.Second

// NewLive returns a Live that prints text or JSON.
func NewLive(w io.Writer, f Format, s Style) *Live {
	return &Live{w: w, f: f, s: s, j: newJSONWriter(w), copies: make(map[int]bool), found: make(map[findingKey]*sighting)}
}

// News prints what r holds that was not printed before, and returns the findings among
// it. now is when r was made.
func (l *Live) News(r *flows.Results, now time.Time) (fresh []flows.Finding, err error) {
	l.round++
	oldest := 0
	if len(r.Copies) > 0 {
		oldest = r.Copies[0].ID
	}
	for i := range r.Copies {
		c := &r.Copies[i]
		if l.copies[c.ID] || !c.Closed && !r.Done {
			continue
		}
		l.copies[c.ID] = true
		if err := l.copy(c); err != nil {
			return fresh, err
		}
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		key := findingKey{f.Rule, f.Mint, f.Copy, 0}
		if len(f.Frames) > 0 {
			key.frame = f.Frames[0]
		}
		seen := l.found[key]
		if seen == nil {
			seen = &sighting{since: now}
			l.found[key] = seen
		}
		seen.round = l.round
		stands := l.copies[f.Copy] || f.Copy == 0 && now.Sub(seen.since) >= settle
		if seen.printed || !stands && !r.Done {
			continue
		}
		seen.printed = true
		fresh = append(fresh, *f)
		if err := l.finding(f, r.Last); err != nil {
			return fresh, err
		}
	}
	// What the capture has forgotten is forgotten here.
	for key, seen := range l.found {
		if seen.round != l.round {
			delete(l.found, key)
		}
	}
	for id := range l.copies {
		if id < oldest {
			delete(l.copies, id)
		}
	}
	return fresh, nil
}

// clock prints a time of day in the local zone.
func clock(ns int64) string { return time.Unix(0, ns).Format("15:04:05.000000") }

func (l *Live) copy(c *flows.Copy) error {
	if l.f == JSON {
		return l.j.line(struct {
			Time string   `json:"time"`
			Copy copyJSON `json:"copy"`
		}{stamp(c.LastTime), newCopyJSON(c)})
	}
	took := time.Duration(c.LastTime - c.FirstTime)
	more := ""
	if c.Fallback != "" {
		more += ", fell back after " + Escape(c.Fallback)
	}
	if c.Uncertain != "" {
		more += ", uncertain: " + Escape(c.Uncertain)
	}
	_, err := fmt.Fprintf(l.w, "%s %s copy %d: %s -> %s, %s by %s in %s (%s), %s on the wire, frames %d-%d%s\n", clock(c.LastTime),
		l.s.paint(verdictColor(c.Verdict), fmt.Sprintf("%-8s", c.Verdict)), c.ID, Path(c.Source.Path), Path(c.Destination.Path), Size(c.Bytes), Method(c),
		Took(took), Rate(c.Bytes, took), Size(c.WireBytes), c.FirstFrame, c.LastFrame, more)
	return err
}

func (l *Live) finding(f *flows.Finding, now int64) error {
	if l.f == JSON {
		var a Audit
		return l.j.line(struct {
			Time    string      `json:"time"`
			Finding findingJSON `json:"finding"`
		}{stamp(now), a.newFindingJSON(f)})
	}
	_, err := fmt.Fprintf(l.w, "%s %s %s\n", clock(now), l.s.paint(levelColor(f.Level), fmt.Sprintf("%-8s", f.Level)), FindingLine(f))
	return err
}

// FindingLine is a finding in a line, without its level.
func FindingLine(f *flows.Finding) string {
	return Escape(f.Rule) + ": " + Escape(f.Message) + about(f)
}

// LiveEnd is what became of the packets of a capture that went on.
type LiveEnd struct {
	Packets  uint64
	Bytes    uint64
	Dropped  uint64
	Known    bool // Dropped is
	Findings [flows.Error + 1]int
}

// End prints how a capture ended; as JSON only, for text goes to standard error.
func (l *Live) End(e LiveEnd, r *flows.Results) error {
	if l.f != JSON {
		return nil
	}
	var dropped any
	if e.Known {
		dropped = e.Dropped
	}
	return l.j.line(struct {
		End any `json:"end"`
	}{struct {
		Packets  uint64   `json:"packets"`
		Bytes    uint64   `json:"bytes"`
		Dropped  any      `json:"dropped"`
		Messages int      `json:"messages"`
		Complete bool     `json:"complete"`
		Problems []string `json:"problems"`
	}{e.Packets, e.Bytes, dropped, r.Messages, !r.Incomplete, orEmpty(r.Problems)}})
}

// Line says it for people.
func (e LiveEnd) Line() string {
	dropped := "drops unknown"
	if e.Known {
		dropped = strconv.FormatUint(e.Dropped, 10) + " dropped by the kernel"
	}
	return Plural(int(e.Packets), "packet", "packets") + " (" + Size(e.Bytes) + "), " + dropped
}

// LiveStatus says for the terminal how a capture goes: packets a second, and what is lost.
func LiveStatus(rate float64, dropped uint64, known bool, held int) string {
	s := "live · " + Plural(int(rate), "packet/s", "packets/s")
	switch {
	case !known:
		s += " · drops unknown"
	case dropped > 0:
		s += " · " + Count(int(dropped)) + " dropped!"
	default:
		s += " · 0 dropped"
	}
	if held > 10 {
		s += " · buffer " + strconv.Itoa(held) + "%"
	}
	return s
}
