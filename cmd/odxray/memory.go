package main

import (
	"fmt"
	"math"
	"runtime/debug"
	"strconv"
	"strings"
)

// memory is a flag that takes a number of bytes: 500M, 2G, 1.5GB.
type memory uint64

func (m *memory) Type() string { return "SIZE" }

func (m *memory) String() string {
	if *m == 0 {
		return ""
	}
	return strconv.FormatUint(uint64(*m), 10)
}

func (m *memory) Set(text string) error {
	number := strings.TrimSuffix(strings.TrimSuffix(strings.ToUpper(text), "B"), "I")
	scale := 1.0
	if i := strings.IndexAny(number, "KMGT"); i >= 0 && i == len(number)-1 {
		scale = math.Pow(1024, float64(strings.IndexByte("KMGT", number[i])+1))
		number = number[:i]
	}
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || n <= 0 || n*scale > 1<<50 || math.IsNaN(n) {
		return fmt.Errorf("a size is a number of bytes, or one with K, M, G or T after it")
	}
	*m = memory(n * scale)
	return nil
}

// apply has the garbage collector work harder before the limit is reached. What is
// known may take only a part of it: the rest is for what comes and goes.
func (m memory) apply() (known uint64) {
	if m == 0 {
		return 0
	}
	debug.SetMemoryLimit(int64(m))
	return uint64(m) / 2
}
