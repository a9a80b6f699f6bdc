//go:build !unix

package ui

import (
	"os"

	"github.com/rivo/tview"
)

// suspender returns nil: there is no such thing here.
func suspender(*tview.Application) func() { return nil }

func raise(os.Signal) { os.Exit(1) }
