package ui

import (
	"context"
	"sync"
)

// asides are goroutines that make something for a page. The zero one is for tests,
// where all is made at once.
type asides struct {
	sync.WaitGroup
	ctx   context.Context // of all; nil in tests
	guard func()          // deferred in all
}

// begin starts work, which must not touch the state of the interface, and returns a
// function that ends it.
func (a *asides) begin(work func(ctx context.Context)) context.CancelFunc {
	if a.ctx == nil {
		work(context.Background())
		return func() {}
	}
	ctx, cancel := context.WithCancel(a.ctx)
	a.Add(1)
	go func() {
		defer a.Done()
		defer a.guard()
		work(ctx)
	}()
	return cancel
}
