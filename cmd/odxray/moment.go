package main

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/odxray/odxray/flows"
)

// moment is a flag that takes a time: seconds since the first frame, RFC 3339, or a
// date and a time of day in the local zone.
type moment flows.Moment

func (m *moment) Type() string { return "TIME" }

func (m *moment) String() string {
	switch {
	case !m.Known:
		return ""
	case m.Relative:
		return strconv.FormatFloat(float64(m.At)/1e9, 'f', -1, 64)
	}
	return time.Unix(0, m.At).UTC().Format(time.RFC3339Nano)
}

func (m *moment) Set(text string) error {
	if s, err := strconv.ParseFloat(text, 64); err == nil && math.Abs(s) < 1e9 {
		*m = moment{Known: true, Relative: true, At: int64(math.Round(s * 1e9))}
		return nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02"} {
		if t, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			*m = moment{Known: true, At: t.UnixNano()}
			return nil
		}
	}
	return fmt.Errorf("%q is no time, nor seconds since the first frame", text)
}
