package report

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/odxray/odxray/flows"
)

// CallTimes is how long calls took, by name: a control code or a command.
type CallTimes map[string]*callTimes

type callTimes struct {
	calls, errors int
	took          *hdrhistogram.Histogram // nanoseconds, to three digits
}

// longest is what a histogram can hold; what takes longer counts as that.
const longest = 24 * time.Hour

// Add counts an exchange.
func (t CallTimes) Add(x *flows.Exchange) {
	name := CallName(x.Command, x.Function)
	c := t[name]
	if c == nil {
		c = &callTimes{took: hdrhistogram.New(1, int64(longest), 3)}
		t[name] = c
	}
	c.calls++
	if x.AnswerFrame != 0 && x.Status.IsError() {
		c.errors++
	}
	if took, ok := x.Took(); ok {
		// A clock that was set back gives nothing that could be recorded.
		_ = c.took.RecordValue(int64(min(max(took, 1), longest)))
	}
}
