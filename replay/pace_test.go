package replay

import (
	"testing"
	"time"
)

// Requests keep the captured distances, divided by the speed, and pauses are cut.
func TestPace(t *testing.T) {
	p := &Plan{Groups: []Group{{Sent: 1e9}, {Sent: 2e9}, {Sent: 12e9}}}
	for _, c := range []struct {
		o    Options
		want []time.Duration
	}{
		{Options{Speed: 1}, []time.Duration{0, time.Second, 11 * time.Second}},
		{Options{Speed: 10}, []time.Duration{0, 100 * time.Millisecond, 1100 * time.Millisecond}},
		{Options{Speed: 1, MaxGap: 2 * time.Second}, []time.Duration{0, time.Second, 3 * time.Second}},
	} {
		clock := newPace(p, c.o)
		for g, want := range c.want {
			if clock.due[g] != want {
				t.Errorf("%+v: group %d after %v, want %v", c.o, g, clock.due[g], want)
			}
		}
	}
	if clock := newPace(p, Options{}); clock.until(2) != 0 {
		t.Error("as fast as possible waits")
	}
}
