package main

import "testing"

func TestMemory(t *testing.T) {
	for text, want := range map[string]uint64{
		"4096": 4096, "500M": 500 << 20, "2g": 2 << 30, "1.5GB": 3 << 29, "1GiB": 1 << 30, "8k": 8 << 10,
		"": 0, "0": 0, "-1": 0, "M": 0, "1X": 0, "NaN": 0, "1e300": 0, "1M1": 0,
	} {
		var m memory
		err := m.Set(text)
		if uint64(m) != want || (err == nil) != (want > 0) {
			t.Errorf("%q: %d, %v", text, m, err)
		}
	}
}
