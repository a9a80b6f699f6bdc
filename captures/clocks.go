package captures

import (
	"errors"
	"fmt"
	"hash/crc32"
	"time"
)

// ErrClocks: the captures hold the same frames at different times, so they have
// no common timeline.
var ErrClocks = errors.New("the clocks of the captures disagree")

// clocks compares the times at which several files hold the same frame. It looks
// at a sample of the frames: of all that are long enough to be the only one of
// their kind, those with the smallest checksums, which are the same in all files.
type clocks struct {
	readers []*Reader
	limit   uint32 // frames with a larger checksum are not in the sample
	seen    map[uint64]*sighting
	free    []sighting
	count   []int // frames of the sample that each file showed first or alone
	pairs   map[[2]int]*gap
}

// A sighting is where a frame of the sample was first.
type sighting struct {
	sum      uint32
	file     int
	time     int64
	again    bool // seen twice in a file, so it tells nothing
	apart    bool // counted in the gap to another file
	apartTo  int
	distance int64
}

// A gap is how far apart two files are, over the frames of the sample that lie
// more than twinSpan apart.
type gap struct {
	frames   int
	from, to int64 // the least and the most that the second file is later
}

const (
	maxSample = 1 << 15
	minSample = 100 // bytes of a frame
	// Two files disagree when so many frames lie apart and they are an eighth of
	// what either file has in the sample. Announcements that are sent again and
	// again look alike in files that follow one another, but they are few.
	minApart   = 16
	apartShare = 8
)

func newClocks(readers []*Reader) *clocks {
	return &clocks{readers: readers, limit: 1<<32 - 1, seen: map[uint64]*sighting{},
		count: make([]int, len(readers)), pairs: map[[2]int]*gap{}}
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// see looks at a packet. It returns an error when the clocks disagree.
func (c *clocks) see(id uint64, p *Packet) error {
	if len(p.Data) < minSample {
		return nil
	}
	sum := crc32.Checksum(p.Data, castagnoli)
	if sum > c.limit {
		return nil
	}
	s := c.seen[id]
	switch {
	case s == nil:
		if len(c.seen) == maxSample {
			c.thin()
		}
		if len(c.free) == 0 {
			c.free = make([]sighting, 256)
		}
		s, c.free = &c.free[0], c.free[1:]
		*s = sighting{sum: sum, file: p.File, time: p.Time}
		c.seen[id] = s
		c.count[p.File]++
		return nil
	case s.file == p.File:
		s.again = true
		return nil
	case s.again || s.apart:
		return nil
	}
	d := p.Time - s.time
	if max(d, -d) <= twinSpan {
		s.again = true // once more would be a repetition
		return nil
	}
	s.apart, s.apartTo, s.distance = true, p.File, d
	c.add(s)
	return c.judge(s.file, p.File)
}

// add counts a frame that lies apart.
func (c *clocks) add(s *sighting) {
	pair, d := [2]int{s.file, s.apartTo}, s.distance
	if pair[0] > pair[1] {
		pair[0], pair[1], d = pair[1], pair[0], -d
	}
	g := c.pairs[pair]
	if g == nil {
		g = &gap{from: d, to: d}
		c.pairs[pair] = g
	}
	g.frames++
	g.from, g.to = min(g.from, d), max(g.to, d)
}

// thin halves the sample.
func (c *clocks) thin() {
	for len(c.seen) > maxSample/2 {
		c.limit /= 2
		for id, s := range c.seen {
			if s.sum > c.limit {
				delete(c.seen, id)
			}
		}
	}
	c.free = nil
	clear(c.count)
	clear(c.pairs)
	for _, s := range c.seen {
		c.count[s.file]++
		if s.apart {
			c.add(s)
		}
	}
}

func (c *clocks) judge(a, b int) error {
	if a > b {
		a, b = b, a
	}
	g := c.pairs[[2]int{a, b}]
	if g.frames < minApart || g.frames*apartShare < min(c.count[a], c.count[b]) {
		return nil
	}
	one, other := c.readers[a].name, c.readers[b].name
	what := "the frames it shares with " + one + " are "
	if g.to-g.from > twinSpan {
		return &Error{File: other, Off: -1, Err: ErrClocks,
			What: what + fmt.Sprintf("%s to %s here: the clocks drift apart, so the files have no common timeline", apart(g.from), apart(g.to))}
	}
	middle := g.from + (g.to-g.from)/2
	return &Error{File: other, Off: -1, Err: ErrClocks,
		What: what + fmt.Sprintf("%s here; correct its clock: editcap -t %.6f %s %s", apart(middle), time.Duration(-middle).Seconds(), quote(other), quote(other+".pcapng"))}
}

// apart says how much earlier or later something is.
func apart(d int64) string {
	word := "later"
	if d < 0 {
		d, word = -d, "earlier"
	}
	return fmt.Sprintf("%.6f s %s", time.Duration(d).Seconds(), word)
}

// startSample is how many packets of each file compareStarts looks at.
const startSample = 20000

// compareStarts looks at the first packets of files that can be opened again.
func compareStarts(readers []*Reader) error {
	c := newClocks(readers)
	for i, r := range readers {
		if r.size == 0 {
			continue // a stream
		}
		again, err := Open(r.name)
		if err != nil {
			return err
		}
		for p := (Packet{}); p.Number < startSample && again.Next(&p) == nil; {
			p.File = i
			if err := c.see(twinID(&p), &p); err != nil {
				return errors.Join(err, again.Close())
			}
		}
		if err := again.Close(); err != nil {
			return err
		}
	}
	return nil
}
