package ui

import (
	"fmt"
	"strings"
	"time"

	"github.com/odxray/odxray/flows/report"
)

// standing is what always has to be said if there is something to say: keys, drops,
// errors, how far sorting is.
func (u *ui) standing() string {
	var said []string
	if u.counting {
		said = append(said, fmt.Sprintf("%d…", u.counted))
	}
	if u.filled() {
		for _, p := range u.pages[u.page].panes() {
			if l, ok := p.(*list); ok && l.order.progress() >= 0 {
				said = append(said, fmt.Sprintf("sorting %d%%", l.order.progress()))
			}
		}
	}
	if open, of := u.opened(); of > 0 {
		said = append(said, fmt.Sprintf("keys for %d/%d", open, of))
	}
	if n := u.src.Dropped(); n > 0 {
		said = append(said, report.Count(int(min(n, 1<<62)))+" dropped")
	}
	if n := len(u.failures); n > 0 {
		said = append(said, fmt.Sprintf("E: %d", n))
	}
	return strings.Join(said, " · ")
}

// opened counts the sessions that are encrypted, and those of them that keys opened all of.
func (u *ui) opened() (open, of int) {
	for i := range u.res.Sessions {
		if s := &u.res.Sessions[i]; s.Encrypted > 0 {
			of++
			if s.Decrypted == s.Encrypted {
				open++
			}
		}
	}
	return open, of
}

// rate is how fast a capture is read.
type rate struct {
	start time.Time
	from  int64
}

// of says how fast; "" until that can be told.
func (r *rate) of(done int64) string {
	if r.start.IsZero() {
		r.start, r.from = time.Now(), done
		return ""
	}
	took := time.Since(r.start)
	if took < time.Second || done <= r.from {
		return ""
	}
	return " · " + report.Rate(uint64(done-r.from), took)
}

// showErrors lists what went wrong.
func (u *ui) showErrors() {
	lines := append([]string(nil), u.failures...)
	if u.read != nil {
		lines = append(lines, "! "+u.read.Error())
	}
	lines = append(lines, u.res.Problems...)
	if len(lines) == 0 {
		u.say("nothing went wrong, and all could be read")
		return
	}
	m := &menu{title: "What went wrong, and what is not in the capture", stays: true}
	for _, line := range lines {
		m.add("", line, nil)
	}
	u.open(m)
	m.list.columns[1].path = false
}
