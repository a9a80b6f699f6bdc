package ui

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gdamore/tcell/v2"
	"github.com/rivo/tview"
)

// Options of a Run.
type Options struct {
	File    string       // what the head line calls the capture
	NoColor bool         // as the variable NO_COLOR
	Screen  tcell.Screen // nil for the terminal
	Live    *Live        // nil for what does not grow
	Notice  string       // what is said before the first key

	State    string // file that keeps where the user was in this capture; "" for none
	Settings string // file that keeps columns, the theme and the form of times; "" for none
}

// crash is what panicked, in whatever goroutine, and where.
type crash struct {
	value any
	stack []byte
}

func (c *crash) Error() string { return fmt.Sprintf("%v\n\n%s", c.value, c.stack) }

const (
	tick  = 100 * time.Millisecond
	patch = 80 * time.Millisecond // how long the first frame may wait for results
)

// Run reads src and shows it until the user quits. The terminal is as it was when
// Run returns, when it panics because something did, in any of its goroutines, and
// when a signal ends the process. That src cannot be read is shown, and no error.
func Run(src Source, o Options) error {
	ctx, cancel := context.WithCancel(context.Background())
	app := tview.NewApplication()
	u := newUI(src, o.File)
	u.tail.live, u.tail.on = o.Live, o.Live != nil
	u.quit = app.Stop
	u.later = func(f func()) { app.QueueUpdateDraw(f) }
	u.suspend = suspender(app)
	u.restore(o)
	if o.Notice != "" {
		u.say("%s", o.Notice)
	}

	// A stack trace over a screen in raw mode helps nobody: stop first, then panic.
	var crashed atomic.Pointer[crash]
	guard := func() {
		if v := recover(); v != nil {
			crashed.CompareAndSwap(nil, &crash{v, debug.Stack()})
			app.Stop()
		}
	}
	defer func() {
		cancel()
		if c := crashed.Load(); c != nil {
			panic(c)
		}
	}()

	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)

	u.asides.ctx, u.asides.guard = ctx, guard

	passed := make(chan error, 1)
	go func() {
		defer guard()
		passed <- src.Run(ctx)
	}()
	select { // a small capture is read before anybody can see a frame without it
	case u.read = <-passed:
		u.ended = true
	case <-time.After(patch):
	}
	u.refresh()

	if o.NoColor {
		os.Setenv("NO_COLOR", "1") // the only way to tell tcell
	}
	if o.Screen != nil {
		app.SetScreen(o.Screen)
	}
	app.SetRoot(u, true).EnableMouse(true).EnablePaste(true)
	app.SetInputCapture(func(ev *tcell.EventKey) *tcell.EventKey {
		u.key(ev)
		return nil
	})

	var caught atomic.Value
	go func() {
		defer guard()
		u.watch(ctx, app, passed, signals, &caught)
	}()
	err := app.Run()
	cancel()
	u.asides.Wait() // who called Run closes src
	if crashed.Load() == nil {
		_ = u.save(o) // who looks at a capture where nothing can be written loses nothing else
	}
	if s, ok := caught.Load().(os.Signal); ok {
		signal.Stop(signals)
		raise(s)
	}
	return err
}

// watch looks for news until ctx is done.
func (u *ui) watch(ctx context.Context, app *tview.Application, passed <-chan error, signals <-chan os.Signal, caught *atomic.Value) {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case s := <-signals:
			caught.Store(s)
			app.Stop()
			return
		case err := <-passed:
			app.QueueUpdateDraw(func() {
				u.read, u.ended = err, true
				u.refresh()
			})
		case <-ticker.C:
			app.QueueUpdate(func() {
				if u.refresh() {
					app.ForceDraw()
				}
			})
		}
	}
}

// InputHandler is part of tview.Primitive; keys reach u before it.
func (u *ui) InputHandler() func(*tcell.EventKey, func(tview.Primitive)) {
	return func(ev *tcell.EventKey, _ func(tview.Primitive)) { u.key(ev) }
}

// PasteHandler takes text that was pasted: a prompt wants it, nobody else does.
func (u *ui) PasteHandler() func(string, func(tview.Primitive)) {
	return func(text string, focus func(tview.Primitive)) {
		if u.prompt != nil {
			u.prompt.field.PasteHandler()(clean(text), focus)
		}
	}
}

// MouseHandler selects what is clicked, goes down on a double click, and scrolls
// what is below the pointer.
func (u *ui) MouseHandler() func(tview.MouseAction, *tcell.EventMouse, func(tview.Primitive)) (bool, tview.Primitive) {
	return func(action tview.MouseAction, ev *tcell.EventMouse, _ func(tview.Primitive)) (bool, tview.Primitive) {
		x, y := ev.Position()
		return u.mouse(action, x, y), nil
	}
}

const wheelLines = 3

func (u *ui) mouse(action tview.MouseAction, x, y int) bool {
	switch action {
	case tview.MouseLeftClick, tview.MouseLeftDoubleClick, tview.MouseScrollUp, tview.MouseScrollDown:
	default:
		return false
	}
	u.touched, u.linked = true, nil
	for i := len(u.spots) - 1; i >= 0; i-- { // what was drawn last is on top
		s := u.spots[i]
		if !s.c.holds(x, y) {
			continue
		}
		switch {
		case u.menu != nil && s.pane != &u.menu.list:
			u.menu = nil
		case s.pane == nil:
			if action == tview.MouseLeftClick {
				u.turn(s.page)
			}
		case action == tview.MouseScrollUp:
			s.pane.scroll(-wheelLines)
		case action == tview.MouseScrollDown:
			s.pane.scroll(wheelLines)
		default:
			for i, p := range u.pages[u.page].panes() {
				if p == s.pane && u.help == nil {
					u.focus[u.page] = i
				}
			}
			u.message = ""
			if s.pane.click(x-s.c.x, y-s.c.y) && action == tview.MouseLeftDoubleClick {
				s.pane.enter()
			}
		}
		return true
	}
	return false
}
