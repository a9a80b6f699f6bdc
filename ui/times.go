package ui

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// timeForm is how times of frames are shown.
type timeForm uint8

const (
	relative timeForm = iota // to the first frame, or to the reference
	delta                    // to the line before
	ofDay
	utc
	epoch
)

var timeForms = []string{"relative", "delta", "clock", "utc", "epoch"}

// clock prints a time in nanoseconds since 1970 UTC.
func (u *ui) clock(ns int64) string {
	if ns == 0 {
		return ""
	}
	const digits = "15:04:05.000000"
	switch t := time.Unix(0, ns); u.times {
	case ofDay:
		return t.Format(digits)
	case utc:
		return t.UTC().Format(digits)
	case epoch:
		return fmt.Sprintf("%d.%06d", ns/1e9, ns%1e9/1000)
	}
	return seconds(ns - u.base())
}

// after prints a time in a list, where before is that of the line before; 0 if there is
// none.
func (u *ui) after(ns, before int64) string {
	if u.times != delta {
		return u.clock(ns)
	}
	if before == 0 || ns == 0 {
		return ""
	}
	return seconds(ns - before)
}

// setTimes chooses how times are shown; "" takes the next way.
func (u *ui) setTimes(word string) {
	i := (int(u.times) + 1) % len(timeForms)
	if word != "" {
		if i = slices.Index(timeForms, word); i < 0 {
			u.fail("times are %s", strings.Join(timeForms, ", "))
			return
		}
	}
	u.times = timeForm(i)
	u.say("times are %s", [...]string{"relative to " + u.zero(), "relative to the line before", "of the clock here", "of the clock in UTC", "in seconds since 1970"}[i])
}

func (u *ui) zero() string {
	if u.since.frame == 0 {
		return "the first frame"
	}
	return "frame " + fmt.Sprint(u.since.frame)
}

// reference is the frame that times are relative to.
type reference struct {
	frame int // 0 for the first one
	time  int64
}

// base is the time that the others count from.
func (u *ui) base() int64 {
	if u.since.frame > 0 {
		return u.since.time
	}
	return u.res.First
}

// setReference has times count from the selected frame, or from the first one again if
// they do already.
func (u *ui) setReference() {
	n := u.frameHere()
	if n == 0 {
		u.say("no frame is selected that times could count from")
		return
	}
	at := reference{frame: n, time: u.timeOf(n)}
	if u.since == at {
		at = reference{}
	}
	u.since, u.times = at, relative
	u.say("times are relative to %s", u.zero())
}

// clockWidth returns how many columns times take.
func (u *ui) clockWidth() int {
	return max(width(u.clock(u.res.First)), width(u.clock(u.res.Last)), len("1234.567890"))
}
