//go:build unix

package ui

import (
	"fmt"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gdamore/tcell/v2"

	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/flows"
)

// watched is a screen that tells what has been drawn, and that it was given back.
type watched struct {
	tcell.SimulationScreen
	mu   sync.Mutex
	text string
	fini int
}

func newWatched() *watched { return &watched{SimulationScreen: tcell.NewSimulationScreen("UTF-8")} }

func (w *watched) Show() {
	w.SimulationScreen.Show()
	var b strings.Builder
	cells, _, _ := w.GetContents()
	for _, c := range cells {
		b.WriteString(string(c.Runes))
	}
	w.mu.Lock()
	w.text = b.String()
	w.mu.Unlock()
}

func (w *watched) Fini() {
	w.mu.Lock()
	w.fini++
	w.mu.Unlock()
	w.SimulationScreen.Fini()
}

func (w *watched) closed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.fini > 0
}

// press presses keys: \r is Enter.
func (w *watched) press(keys string) {
	for _, r := range keys {
		if r == '\r' {
			w.InjectKey(tcell.KeyEnter, 0, 0)
		} else {
			w.InjectKey(tcell.KeyRune, r, 0)
		}
	}
}

func (w *watched) await(t *testing.T, text string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		w.mu.Lock()
		got := w.text
		w.mu.Unlock()
		if strings.Contains(got, text) {
			return
		}
	}
	t.Fatalf("%q did not appear", text)
}

// The whole program but for the terminal: it fills while src is read, answers keys,
// searches aside, and ends.
func TestRun(t *testing.T) {
	src := &fake{release: make(chan struct{}), file: "x"}
	screen := newWatched()
	ended := make(chan error)
	go func() { ended <- Run(src, Options{File: "x.pcap", Screen: screen, Notice: "a copy is kept"}) }()
	screen.await(t, "being read")
	screen.await(t, "a copy is kept")
	src.set(50_000, &flows.Results{Messages: 2})
	screen.await(t, "50,000 frames")
	close(src.release)
	screen.await(t, "complete ✓")
	screen.press("/Response\r")
	screen.await(t, "2/50,000")
	screen.InjectKey(tcell.KeyRune, '7', 0)
	screen.await(t, "Calls 25,000")
	screen.InjectKey(tcell.KeyRune, '3', 0)
	screen.press("\\frame.number in {7,9}\r")
	screen.await(t, "2 of 50,000")
	screen.InjectKey(tcell.KeyRune, 'Q', 0)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if !screen.closed() {
		t.Error("the screen was not given back")
	}
}

type panics struct {
	*fake
	where string
}

func (p panics) Frames() int {
	if p.where == "Frames" && p.fake.Frames() > 1 {
		panic("ouch in Frames")
	}
	return p.fake.Frames()
}

func (p panics) Detail(int, *wire.Tree) error {
	if p.where == "Detail" {
		panic("ouch in Detail")
	}
	return nil
}

func (p panics) Row(n int, r *flows.Row) error {
	if p.where == "Row" && n == 2 {
		panic("ouch in Row")
	}
	return p.fake.Row(n, r)
}

// Whatever goroutine panics, the screen is given back before Run panics with it.
func TestPanicGivesTheScreenBack(t *testing.T) {
	for _, where := range []string{"Frames", "Detail", "Row"} {
		t.Run(where, func(t *testing.T) {
			src := panics{empty(1, flows.Results{Messages: 1}), where}
			screen := newWatched()
			ended := make(chan any)
			go func() {
				defer func() { ended <- recover() }()
				_ = Run(src, Options{Screen: screen})
			}()
			if where != "Detail" {
				screen.await(t, "1/1")
				src.set(5000, &flows.Results{Messages: 1})
			}
			v := <-ended
			if !strings.Contains(fmt.Sprint(v), "ouch in "+where) {
				t.Errorf("recovered %v", v)
			}
			if !screen.closed() {
				t.Error("the screen was not given back")
			}
		})
	}
}

func TestSignalGivesTheScreenBack(t *testing.T) {
	screen := newWatched()
	ended := make(chan error)
	go func() { ended <- Run(sample(), Options{Screen: screen}) }()
	screen.await(t, "Copies")
	again := make(chan os.Signal, 2)
	signal.Notify(again, syscall.SIGTERM)
	defer signal.Stop(again)
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if !screen.closed() {
		t.Error("the screen was not given back")
	}
	<-again
	<-again // raised again, for whoever else it ends
}

// The interface answers while a filter is looked through, and a filter that was removed
// ends.
func TestFilterDoesNotBlock(t *testing.T) {
	src := empty(1000, flows.Results{Messages: 1})
	src.slow = make(chan struct{})
	screen := newWatched()
	ended := make(chan error)
	go func() { ended <- Run(src, Options{Screen: screen}) }()
	screen.await(t, "1/1,000")
	screen.press(":filter frame.number > 1\r")
	screen.await(t, "frame.number > 1 · 0%")
	for range 500 {
		src.slow <- struct{}{}
	}
	screen.await(t, " · 50%")
	screen.InjectKey(tcell.KeyEscape, 0, 0)
	screen.await(t, "2/1,000")
	src.slow <- struct{}{} // the look that was under way
	screen.InjectKey(tcell.KeyRune, 'Q', 0)
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
