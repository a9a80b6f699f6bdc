package captures

import (
	"io"
	"time"
)

// followEvery is how often a file is asked whether it has grown.
const followEvery = 100 * time.Millisecond

// A follower reads a file that grows: where it ends, it waits for more until stop
// is closed.
type follower struct {
	r    io.Reader
	stop <-chan struct{}
}

func (f *follower) Read(p []byte) (int, error) {
	for {
		n, err := f.r.Read(p)
		if n > 0 || err != io.EOF {
			return n, err
		}
		select {
		case <-f.stop:
			return f.r.Read(p) // what came since
		case <-time.After(followEvery):
		}
	}
}
