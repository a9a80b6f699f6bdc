package main

import (
	"bufio"
	"errors"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/spf13/pflag"
)

// output is standard output, buffered, but not for long: a list of a stream appears
// while the stream goes on.
type output struct {
	mu  sync.Mutex
	w   *bufio.Writer
	err error // why it could not be written
}

// sameFile reports whether a file that is to be written is one of those that are read.
func sameFile(written string, read []string) bool {
	w, err := os.Stat(written)
	return err == nil && w.Mode().IsRegular() && slices.ContainsFunc(read, func(path string) bool {
		r, err := os.Stat(path)
		return err == nil && os.SameFile(w, r)
	})
}

// overwriteFlag adds the flag without which files that are there are left alone.
func overwriteFlag(f *pflag.FlagSet, overwrite *bool) {
	f.BoolVar(overwrite, "overwrite", false, "write over a file that is there")
}

// mayWrite refuses to write over one of the files that are read, and over one that holds
// something, unless overwrite says that it may go. "", "-", devices and pipes are no such
// files.
func mayWrite(path string, overwrite bool, read ...string) error {
	if sameFile(path, read) {
		return usagef("writing %s would overwrite what is read", path)
	}
	if st, err := os.Stat(path); overwrite || path == "-" || err != nil || !st.Mode().IsRegular() || st.Size() == 0 {
		return nil
	}
	return usagef("%s is there already: --overwrite writes over it", path)
}

const flushEvery = 200 * time.Millisecond

func newOutput(w io.Writer) *output { return &output{w: bufio.NewWriterSize(w, 64<<10)} }

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n, err := o.w.Write(b)
	o.err = err
	return n, err
}

// failed reports whether an error is that of writing.
func (o *output) failed(err error) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err != nil && errors.Is(err, o.err)
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
