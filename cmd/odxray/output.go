package main

import (
	"bufio"
	"io"
	"sync"
	"time"
)

// output is standard output, buffered, but not for long: a list of a stream appears
// while the stream goes on.
type output struct {
	mu sync.Mutex
	w  *bufio.Writer
}

const flushEvery = 200 * time.Millisecond

func newOutput(w io.Writer) *output { return &output{w: bufio.NewWriterSize(w, 64<<10)} }

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.w.Write(b)
}

// Flush writes what is buffered.
func (o *output) Flush() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.w.Flush()
}

// keepFlushing flushes now and then until the function it returns is called. What
// fails then, fails again when the next one writes.
func (o *output) keepFlushing() (stop func()) {
	ticker, done := time.NewTicker(flushEvery), make(chan struct{})
	go func() {
		for {
			select {
			case <-ticker.C:
				_ = o.Flush()
			case <-done:
				return
			}
		}
	}()
	return func() {
		ticker.Stop()
		close(done)
	}
}
