//go:build unix

package ui

import (
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/rivo/tview"
)

// suspender returns what stops the process as ctrl-z does in a shell, with the
// terminal as it was for as long.
func suspender(app *tview.Application) func() {
	return func() {
		app.Suspend(func() {
			signal.Reset(syscall.SIGTSTP)
			_ = syscall.Kill(0, syscall.SIGTSTP) // the group, so that a pipeline stops as one
		})
	}
}

// raise sends s to the process again, which ends it unless the caller of Run waits
// for it too: who sent it sees that it did.
func raise(s os.Signal) {
	_ = syscall.Kill(os.Getpid(), s.(syscall.Signal))
	time.Sleep(100 * time.Millisecond) // it is delivered at any time
}
