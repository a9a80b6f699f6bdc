package flows

import "testing"

// TestCreditHistory: the credits of a client over time stay between none and the most it
// had, and end with what it has.
func TestCreditHistory(t *testing.T) {
	_, r := passOver(t, rocev2)
	c := &r.Connections[0].Credits
	if !c.Known || len(c.History) < 2 || len(c.History) > maxHistory {
		t.Fatalf("known %v, %d points", c.Known, len(c.History))
	}
	most, before := 0, int64(0)
	for _, p := range c.History {
		if p.Low < 0 || p.Low > p.High || p.Time < before {
			t.Errorf("point %+v after %d", p, before)
		}
		most, before = max(most, p.High), p.Time
	}
	if last := c.History[len(c.History)-1]; most != c.Most || last.Low > c.Window || last.High < c.Window {
		t.Errorf("at most %d, want %d; in the end %+v, want %d", most, c.Most, last, c.Window)
	}
}
