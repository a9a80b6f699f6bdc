package flows

import (
	"context"

	"github.com/odxray/odxray/dissect/wire"
)

// Capture is a capture and what is known of it. One goroutine calls Run (or List);
// all other methods may be called from any goroutine while it runs.
type Capture struct{}

// Open opens capture files as one timeline. "-" is standard input.
func Open(paths []string, o Options) (*Capture, error) { return nil, nil }

// Options of a Capture.
type Options struct {
	Index    bool     // keep what random access needs: Row, Detail, Exchange
	DecodeAs []string // "tcp.port==N,nbss"
}

// Run reads the capture to its end, or until ctx is done. What could not be read is
// the error and a line of Results.Problems; what was readable has been analysed.
func (c *Capture) Run(ctx context.Context) error { return nil }

// List is Run that yields every frame: its row, and its fields in tree if that is
// not nil. Both are valid until yield returns; false stops. Fields and rows are
// recorded only for frames that want is nil or true for.
func (c *Capture) List(ctx context.Context, tree *wire.Tree, want func(frame int) bool, yield func(*Row) bool) error {
	return nil
}

// Results returns what the pass has found; published some ten times a second.
func (c *Capture) Results() *Results { return nil }

// Frames returns how many frames are indexed. Only with Options.Index.
func (c *Capture) Frames() int { return 0 }

// Row fills r for frame n, counted from 1. Only with Options.Index.
func (c *Capture) Row(n int, r *Row) error { return nil }

// Detail fills tree with the fields of frame n. Only with Options.Index.
func (c *Capture) Detail(n int, tree *wire.Tree) error { return nil }

// Exchanges returns how many exchanges are indexed. Only with Options.Index.
func (c *Capture) Exchanges() int { return 0 }

// Exchange fills x with the exchange at position i, counted from 0. Only with
// Options.Index.
func (c *Capture) Exchange(i int, x *Exchange) {}

// ExchangesOf lists the positions of the exchanges whose messages end in frame n.
func (c *Capture) ExchangesOf(n int) []int { return nil }

// Progress returns how many bytes of the files have been read, and how many there
// are; 0 if unknown.
func (c *Capture) Progress() (done, size int64) { return 0, 0 }

// Close ends everything.
func (c *Capture) Close() error { return nil }

// Fields lists every field that a Detail or a List can record.
func Fields() []*wire.Field { return nil }
