// Package ui is the terminal user interface: pages over what package flows knows of
// a capture, while it is still being read and afterwards.
//
// One [tview.Application] runs one primitive, type ui, which is all state there is:
// the last results, the page, what is selected. A page is a list of panes and a way
// to lay them out; a pane is something that draws itself from that state and moves
// through it. Everything that a user can do is a line of the table in keymap.go:
// keys, the command line, the footer and the help are made from it. Nothing here
// reads a capture: what a pane shows it asks a [Source] for, a visible row at a time.
//
// Text reaches the screen through type canvas only, which makes it harmless: file
// names of a capture may hold control characters, and no markup is interpreted.
// tview's Table sizes its columns by the rows in view and so makes them jump while
// scrolling through millions; type list has columns of fixed shares instead.
//
// # To add a page
//
//  1. A file with a type that implements page, from lists and other panes.
//  2. A line in newUI, and its name in the table of keymap.go.
//  3. A line in the test table of frames_test.go; go test ./ui -update, then look
//     at testdata, docs/ui.md and the README, which show what it draws.
package ui
