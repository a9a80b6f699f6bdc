package captures

import (
	"math"
	"math/bits"
)

// A clock turns the 64-bit timestamps of a pcapng interface into nanoseconds
// since 1970. Their unit is a power of ten or of two of a second
// (if_tsresol), and their zero may lie elsewhere (if_tsoffset).
type clock struct {
	scale  uint64 // nanoseconds per unit, if that is a whole number and offset is 0
	limit  uint64 // below it a timestamp times scale fits
	units  uint64 // units per second; 0 if that does not fit 64 bits
	shift  uint   // units per second are 2^shift, if units is 0 and the base is two
	over   uint64 // units per nanosecond, if units is 0 and the base is ten; 0 if that does not fit
	offset int64  // seconds
}

const maxSeconds = math.MaxInt64 / 1_000_000_000

func newClock(resolution byte, offset int64) clock {
	c := clock{offset: offset}
	n := uint(resolution & 0x7f)
	switch {
	case resolution&0x80 != 0 && n < 64:
		c.units = 1 << n
	case resolution&0x80 != 0:
		c.shift = n
	case n < 20:
		c.units = power10(n)
	case n < 29:
		c.over = power10(n - 9)
	}
	if c.units != 0 && c.units <= 1e9 && 1e9%c.units == 0 && offset == 0 {
		c.scale = 1e9 / c.units
		c.limit = math.MaxInt64 / c.scale
	}
	return c
}

func power10(n uint) uint64 {
	p := uint64(1)
	for range n {
		p *= 10
	}
	return p
}

// nanoseconds converts t. What lies outside the years 1677 to 2262 becomes the
// nearest of these.
func (c *clock) nanoseconds(t uint64) int64 {
	if t < c.limit {
		return int64(t * c.scale)
	}
	var sec, ns uint64
	switch {
	case c.units != 0:
		sec = t / c.units
		hi, lo := bits.Mul64(t%c.units, 1e9)
		ns, _ = bits.Div64(hi, lo, c.units)
	case c.shift != 0:
		hi, _ := bits.Mul64(t, 1e9) // t / 2^shift seconds are less than one
		ns = hi >> (c.shift - 64)
	case c.over != 0:
		ns = t / c.over
		sec, ns = ns/1e9, ns%1e9
	}
	if sec > math.MaxInt64 {
		return math.MaxInt64
	}
	s := int64(sec)
	if c.offset > 0 && s > math.MaxInt64-c.offset {
		return math.MaxInt64
	}
	s += c.offset
	switch {
	case s >= maxSeconds:
		return math.MaxInt64
	case s <= -maxSeconds:
		return math.MinInt64
	}
	return s*1e9 + int64(ns)
}

// digits returns how many digits after the second the clock tells apart, as
// Wireshark counts them: at most 9.
func (c *clock) digits() int {
	if c.units == 0 {
		return 9
	}
	n := 0
	for p := uint64(1); p < c.units && n < 9; p *= 10 {
		n++
	}
	return n
}
