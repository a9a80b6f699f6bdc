package report

import (
	"testing"
	"time"
)

func TestSize(t *testing.T) {
	for _, tt := range []struct {
		n           uint64
		size, exact string
	}{
		{0, "0 B", "0"},
		{512, "512 B", "512"},
		{1023, "1 KB", "1023"}, // no room for four digits
		{1024, "1 KB", "1K"},
		{1536, "1.5 KB", "1536"},
		{112640, "110 KB", "110K"},
		{16 << 20, "16 MB", "16M"},
		{256 << 20, "256 MB", "256M"},
		{1879048196, "1.75 GB", "1879048196"},
		{1<<40 - 1, "1 TB", "1099511627775"},
		{1<<64 - 1, "16 EB", "18446744073709551615"},
	} {
		if got := Size(tt.n); got != tt.size {
			t.Errorf("Size(%d) = %q, want %q", tt.n, got, tt.size)
		}
		if got := Exact(tt.n); got != tt.exact {
			t.Errorf("Exact(%d) = %q, want %q", tt.n, got, tt.exact)
		}
	}
}

func TestTook(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                           "0 ns",
		999:                         "999 ns",
		27334 * time.Microsecond:    "27.3 ms",
		999499 * time.Nanosecond:    "999 µs",
		999500 * time.Nanosecond:    "1 ms",
		999600 * time.Microsecond:   "1 s",
		4612345 * time.Microsecond:  "4.61 s",
		58600 * time.Microsecond:    "58.6 ms",
		-58600 * time.Microsecond:   "-58.6 ms",
		90 * time.Second:            "90 s",
		3*time.Hour + 4*time.Second: "3h0m4s",
	} {
		if got := Took(d); got != want {
			t.Errorf("Took(%d) = %q, want %q", d, got, want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{Percent(0, 0), ""},
		{Percent(1, 3), "33%"},
		{Percent(1<<60-1, 1<<60), "99%"},
		{Percent(3, 3), "100%"},
		{Count(999), "999"},
		{Count(12044), "12,044"},
		{Count(1234567), "1,234,567"},
		{Plural(1, "copy", "copies"), "1 copy"},
		{Plural(0, "copy", "copies"), "0 copies"},
		{Rate(1879048704, 4612*time.Millisecond), "389 MB/s"},
		{Rate(5, 0), ""},
	} {
		if tt.got != tt.want {
			t.Errorf("%q, want %q", tt.got, tt.want)
		}
	}
}
