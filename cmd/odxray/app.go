package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	_ "time/tzdata" // so that times are local on machines without zone files

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/odxray/odxray/captures"
	"github.com/odxray/odxray/dissect/filter"
	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/report"
)

// Exit statuses. Where several apply, unreadable comes before findings, and these
// before incomplete.
const (
	exitOK         = 0
	exitFindings   = 1 // at or above --fail-on
	exitUsage      = 2
	exitUnreadable = 3 // a capture cannot be read
	exitIncomplete = 4 // and --strict
	exitInternal   = 5
)

// exitError is an error that says which status the program ends with.
type exitError struct {
	code int
	err  error // nil if all has been said
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

// app is one run of the program.
type app struct {
	stdin       io.Reader
	out         *output
	stderr      io.Writer
	interactive bool // standard output is a terminal
	color       string
	plain       bool           // text alone
	capture     *flows.Capture // that is being read; nil if there is none
	tap         *captures.Live // where it comes from, if it grows; else nil
}

// run runs the program and returns its exit status.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) (code int) {
	if os.Getenv("GOGC") == "" {
		pace()
	}
	a := &app{stdin: stdin, out: newOutput(stdout), stderr: stderr}
	if f, ok := stdout.(*os.File); ok {
		a.interactive = term.IsTerminal(int(f.Fd()))
	}
	defer func() {
		if p := recover(); p != nil {
			fmt.Fprintf(stderr, "odxray: internal error: %v\n%s", p, debug.Stack())
			code = exitInternal
		}
	}()
	defer a.out.keepFlushing()()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	context.AfterFunc(ctx, stop) // the first Ctrl-C ends reading, the second one the program

	root := rootCommand(a)
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(a.out)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if flushed := a.out.Flush(); flushed != nil && err == nil {
		err = flushed
	}
	return a.exit(err)
}

// exit says what went wrong and returns the exit status for it.
func (a *app) exit(err error) int {
	if err == nil {
		return exitOK
	}
	var e *exitError
	if !errors.As(err, &e) {
		e = &exitError{exitInternal, err}
	}
	var bad *filter.Error
	if errors.As(e.err, &bad) {
		fmt.Fprintf(a.stderr, "odxray: %s\n", report.Escape(bad.Error()))
		for line := range strings.SplitSeq(bad.Caret(), "\n") {
			fmt.Fprintf(a.stderr, "  %s\n", line)
		}
		return e.code
	}
	if e.err != nil {
		fmt.Fprintf(a.stderr, "odxray: %s\n", report.Escape(e.err.Error()))
	}
	if e.code == exitUsage {
		fmt.Fprintln(a.stderr, "Run 'odxray --help' for usage.")
	}
	return e.code
}

// style says how text for people looks here.
func (a *app) style() report.Style {
	switch {
	case a.plain || a.color == "never":
		return report.Style{}
	case a.color == "always":
		return report.Style{Color: true}
	}
	return report.Style{Color: a.interactive && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
}

// args makes the checks of arguments usage errors.
func args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return &exitError{exitUsage, err}
		}
		return nil
	}
}
