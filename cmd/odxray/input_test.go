package main

import (
	"context"
	"errors"
	"testing"
)

// TestStuck: Ctrl-C ends a pass that is stuck in a read.
func TestStuck(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	stuck := make(chan struct{})
	defer close(stuck)
	err := patiently(ctx, func(context.Context) error { <-stuck; return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// TestPanic: what panics in a pass panics in the command, which knows the status.
func TestPanic(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	patiently(context.Background(), func(context.Context) error { panic("here") })
}
