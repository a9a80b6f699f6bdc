package server

import (
	"io"
	"sync/atomic"
	"time"

	"github.com/odxray/odxray/replay/tape"
)

// recording is what connections say, as a capture.
type recording struct {
	*tape.Tape
	gain atomic.Int64 // nanoseconds that its clock goes ahead of the time; tests wait by it
}

func newRecording(w io.Writer) (*recording, error) {
	t, err := tape.New(w, "odxray serve", "made by odxray serve: the headers below SMB are made up")
	return &recording{Tape: t}, err
}

// now is the time of what is recorded next.
func (r *recording) now() time.Time {
	if r == nil {
		return time.Time{}
	}
	return time.Now().Add(time.Duration(r.gain.Load()))
}
