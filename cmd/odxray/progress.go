package main

import (
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/odxray/odxray/flows"
)

// progressAfter is how long a pass may take before it shows how far it is.
const progressAfter = time.Second

// watched reports whether standard error is a terminal.
func (a *app) watched() bool {
	f, ok := a.stderr.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// progress shows on standard error, if that is a terminal, how far the pass over the
// capture at hand is, how fast it goes and how long it will take, and before that where a
// copy is kept, if one is. stop ends it, and leaves no trace but of that.
func (a *app) progress() (stop func()) {
	if a.plain || a.capture == nil || !a.watched() {
		return func() {}
	}
	if line := spoolLine(a.capture); line != "" {
		a.warn(line)
	}
	f, _ := a.stderr.(*os.File)
	quit, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		showProgress(f, a.capture, quit)
	}()
	return func() { close(quit); <-gone }
}

func showProgress(f *os.File, c *flows.Capture, quit <-chan struct{}) {
	_, size := c.Progress()
	if size == 0 {
		size = -1 // unknown: how much and how fast, but not how long
	}
	bar := progressbar.NewOptions64(size,
		progressbar.OptionSetWriter(f), progressbar.OptionSetDescription("reading"), progressbar.OptionSetWidth(30),
		progressbar.OptionShowBytes(true), progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish())
	bar.StartWithoutRender() // from now on counts the rate
	select {
	case <-quit:
		return
	case <-time.After(progressAfter):
	}
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	// Nothing depends on a line that could not be drawn.
	defer func() { _ = bar.Clear() }()
	for {
		done, _ := c.Progress()
		_ = bar.Set64(done)
		select {
		case <-quit:
			return
		case <-tick.C:
		}
	}
}
