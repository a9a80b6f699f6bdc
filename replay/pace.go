package replay

import "time"

// pace is when groups may start, as the capture had it.
type pace struct {
	p     *Plan
	speed float64 // 0: at once
	gap   time.Duration
	start time.Time
	due   []time.Duration // since start, by group; nil if speed is 0
}

func newPace(p *Plan, o Options) *pace {
	c := &pace{p: p, speed: o.Speed, gap: o.MaxGap, start: time.Now()}
	if c.speed <= 0 {
		return c
	}
	at, last := time.Duration(0), int64(0)
	for g := range p.Groups {
		group := &p.Groups[g]
		if last == 0 {
			last = group.Sent
		}
		wait := time.Duration(float64(group.Sent-last) / c.speed)
		if c.gap > 0 {
			wait = min(wait, c.gap)
		}
		at += max(wait, 0)
		last = max(last, group.Sent)
		c.due = append(c.due, at)
	}
	return c
}

// until returns how long group g has to wait yet.
func (c *pace) until(g int) time.Duration {
	if c.due == nil {
		return 0
	}
	return c.due[g] - time.Since(c.start)
}

// started takes note of a group that starts late: the others keep their distance to it.
func (c *pace) started(g int) {
	if c.due == nil {
		return
	}
	if late := time.Since(c.start) - c.due[g]; late > 0 && c.gap > 0 {
		c.start = c.start.Add(late)
	}
}
