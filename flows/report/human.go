package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/odxray/odxray/flows"
)

// units are powers of 1024, named as Windows names them: a 1.75 GB file is 1.75 GB
// there too. Everything that odxray prints for people counts so, rates included;
// data formats have bytes.
const units = "KMGTPE"

// scaled returns n in the largest unit that leaves at least 1, and its power of 1024.
func scaled(n float64) (v float64, unit int) {
	for v = n; v >= 1024 && unit < len(units); unit++ {
		v /= 1024
	}
	if v >= 999.5 && unit < len(units) { // would take four digits
		v /= 1024
		unit++
	}
	return v, unit
}

// digits prints v with three digits, without zeros at the end.
func digits(v float64) string {
	prec := 2
	switch {
	case v >= 99.95:
		prec = 0
	case v >= 9.995:
		prec = 1
	}
	s := strconv.FormatFloat(v, 'f', prec, 64)
	if prec > 0 {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// Size prints a number of bytes for people: "0 B", "512 B", "110 KB", "1.75 GB".
func Size(n uint64) string { return size(float64(n)) }

func size(n float64) string {
	v, unit := scaled(n)
	if unit == 0 {
		return digits(v) + " B"
	}
	return digits(v) + " " + units[unit-1:unit] + "B"
}

// ShortSize is Size without a space and B, for axes and ranges: "0", "256M".
func ShortSize(n uint64) string {
	v, unit := scaled(float64(n))
	if unit == 0 {
		return digits(v)
	}
	return digits(v) + units[unit-1:unit]
}

// Exact prints an offset in the largest unit that divides it, so that no byte is
// lost: "16M", "0", "1879048196".
func Exact(n uint64) string {
	unit := 0
	for ; n != 0 && n%1024 == 0 && unit < len(units); unit++ {
		n /= 1024
	}
	s := strconv.FormatUint(n, 10)
	if unit > 0 {
		s += units[unit-1 : unit]
	}
	return s
}

// Span prints a half-open range: "[16M, 32M)".
func Span(r flows.Range) string { return "[" + Exact(r.Start) + ", " + Exact(r.End) + ")" }

// Spans prints ranges, the first few of many.
func Spans(rs []flows.Range) string {
	const most = 4
	var s []string
	for i, r := range rs {
		if i == most {
			s = append(s, fmt.Sprintf("and %d more", len(rs)-most))
			break
		}
		s = append(s, Span(r))
	}
	return strings.Join(s, " ")
}

// Total returns how many bytes ranges that do not overlap cover.
func Total(rs []flows.Range) (n uint64) {
	for _, r := range rs {
		n += r.End - r.Start
	}
	return n
}

// Rate prints bytes per second: "389 MB/s"; "" if no time passed.
func Rate(n uint64, took time.Duration) string {
	if took <= 0 {
		return ""
	}
	return size(float64(n)/took.Seconds()) + "/s"
}

// Took prints how long something took, with three digits: "27.3 ms", "4.61 s".
func Took(d time.Duration) string {
	switch {
	case d < 0:
		return "-" + Took(-d)
	case d < time.Microsecond:
		return strconv.Itoa(int(d)) + " ns"
	case d < 999500*time.Nanosecond:
		return digits(float64(d)/1e3) + " µs"
	case d < 999500*time.Microsecond:
		return digits(float64(d)/1e6) + " ms"
	case d < 2*time.Minute:
		return digits(d.Seconds()) + " s"
	}
	return d.Round(time.Second).String()
}

// Percent prints part of whole; "" if whole is 0. It says 100 % only of all of it.
func Percent(part, whole uint64) string {
	if whole == 0 {
		return ""
	}
	p := math.Floor(100 * float64(part) / float64(whole))
	if part < whole && p >= 100 {
		p = 99
	}
	return strconv.Itoa(int(p)) + "%"
}

// Plural prints a count with its noun, which takes an s: "1 copy" needs both forms.
func Plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Count(n) + " " + many
}

// Count prints a number with its thousands apart: "12,044".
func Count(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
