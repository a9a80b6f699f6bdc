package ui

import (
	"context"
	"io"

	"github.com/odxray/odxray/dissect/filter"
	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/flows"
)

// Source is what the interface draws: a [flows.Capture]. All methods but Run answer
// at once, and may be called while it runs; what those of filters return may take as
// long as drawing a row.
type Source interface {
	Run(ctx context.Context) error
	Progress() (done, size int64)
	Results() *flows.Results
	Dropped() uint64
	Frames() int
	Row(n int, r *flows.Row) error
	Detail(n int, tree *wire.Tree) error
	Exchanges() int
	Exchange(i int, x *flows.Exchange)
	ExchangesOf(n int) []int
	Write(ctx context.Context, w io.Writer, frames []int, comments func(n int) []string, wrote func(n int)) error
	RDMAOperations(conn int) []flows.RDMAOperation
	ChooseFrames(f *filter.Filter) func(n int) bool
	ChooseExchanges(f *filter.Filter) func(i int) bool
}

var _ Source = (*flows.Capture)(nil)
