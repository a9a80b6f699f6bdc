package main

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"github.com/odxray/odxray/captures"
	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/audit"
	"github.com/odxray/odxray/flows/report"
)

// input is the flags that every command has that reads captures.
type input struct {
	files  []string
	strict bool
	memory memory
	keys   keyFlags
	follow bool
	flows.Options
}

func (in *input) flags(cmd *cobra.Command) {
	in.flagsOfFiles(cmd)
	f := cmd.Flags()
	f.BoolVar(&in.follow, "follow", false, "read on as the file grows, and in the files that take its place, until Ctrl-C")
	f.Var((*moment)(&in.Window.From), "from", "show only what is not before this `TIME`: seconds since the first frame (4.5),\nor a time (2016-06-03T14:47:22Z, or 2016-06-03 07:47:22.5 in the local zone)")
	f.Var((*moment)(&in.Window.To), "to", "show only what is not after this `TIME`")
}

// flagsOfFiles are those of flags that do not limit the time: of a command whose --to is
// something else.
func (in *input) flagsOfFiles(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVarP(&in.files, "read", "r", nil, "read this `FILE` too; - is standard input")
	f.Var(&in.memory, "max-memory", "rather than take more memory than `SIZE`, forget the oldest of what is finished, and keep the index\nof frames in a file: 500M, 2G")
	f.BoolVar(&in.strict, "strict", false, "exit with status 4 if the capture is incomplete")
	f.VarP(filterValue{&in.Filter}, "filter", "Y", "show only what this display `FILTER` is true for, such as 'smb2.cmd == READ'")
	completeFilter(cmd)
	in.keys.flags(f)
	f.VarP((*decodeAs)(&in.Options), "decode-as", "d", "take a TCP port for SMB: `tcp.port==N,nbss`, or iwarp_mpa for SMB Direct over iWARP")
}

// paths lists the files to read, or fails if there are none.
func (in *input) paths(args []string) ([]string, error) {
	paths := append(append([]string{}, in.files...), args...)
	if len(paths) == 0 {
		return nil, usagef("no capture file given")
	}
	return paths, nil
}

// read opens the captures of a command, hands them to use, which runs them and
// prints, and makes of what happened the error with the exit status.
func (a *app) read(cmd *cobra.Command, in *input, args []string, use func(context.Context, *flows.Capture, []string) error) error {
	paths, err := in.paths(args)
	if err != nil {
		return err
	}
	if in.Keys, err = in.keys.keys(); err != nil {
		return err
	}
	in.Judge = audit.Judge
	in.MaxMemory = in.memory.apply()
	if in.follow {
		return a.followed(cmd, in, paths, use)
	}
	c, err := flows.Open(paths, in.Options)
	if err != nil {
		return &exitError{exitUnreadable, err}
	}
	return a.use(cmd, in, c, paths, use)
}

// use is read for a capture that is open already. It closes it.
func (a *app) use(cmd *cobra.Command, in *input, c *flows.Capture, names []string, use func(context.Context, *flows.Capture, []string) error) error {
	ctx := cmd.Context()
	a.capture = c
	err := use(ctx, c, names)
	if ctx.Err() == nil { // else a read may still be stuck, and the process ends anyway
		defer c.Close()
	}
	if flushed := a.out.Flush(); err == nil && flushed != nil {
		err = flushed
	}
	return in.outcome(err, c.Results())
}

// spoolLine says where a copy is kept of a capture that can be read but once; "" if there is none.
func spoolLine(c *flows.Capture) string {
	dir := c.Info().Spool
	if dir == "" {
		return ""
	}
	return fmt.Sprintf("what can be read only once is kept in %s until odxray ends, %s at most", dir, report.Size(captures.DefaultSpool))
}

// outcome puts --strict behind what else ends the program.
func (in *input) outcome(err error, r *flows.Results) error {
	if err == nil && in.strict && r.Incomplete {
		return &exitError{exitIncomplete, errors.New("the capture is incomplete")}
	}
	return err
}

// pass reads a capture to its end and then prints what has been found, also if
// reading failed: what could be read was.
func (a *app) pass(ctx context.Context, read func(context.Context) error, print func() error) error {
	stop := a.progress()
	readErr := patiently(ctx, read)
	stop()
	if err := print(); err != nil {
		return err
	}
	return a.readError(ctx, readErr)
}

// stream is pass for what is printed while the capture is read.
func (a *app) stream(ctx context.Context, print func(context.Context) error) error {
	if !a.interactive { // else the lines themselves show it
		defer a.progress()()
	}
	return a.readError(ctx, patiently(ctx, print))
}

// patience is how long a pass may take to end after Ctrl-C.
const patience = 500 * time.Millisecond

// patiently does a pass, but once ctx is done it does not wait for one that is stuck
// in a read of standard input. A panic of the pass becomes the caller's.
func patiently(ctx context.Context, pass func(context.Context) error) error {
	type result struct {
		err      error
		panicked any
	}
	done := make(chan result, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				done <- result{panicked: fmt.Sprintf("%v\n%s", p, debug.Stack())}
			}
		}()
		done <- result{err: pass(ctx)}
	}()
	var r result
	select {
	case r = <-done:
	case <-ctx.Done():
		select {
		case r = <-done:
		case <-time.After(patience):
			r.err = ctx.Err()
		}
	}
	if r.panicked != nil {
		panic(r.panicked)
	}
	return r.err
}

// readError makes of the error of a pass the one with the exit status. A file that
// is cut at its end and a pass that Ctrl-C ended are worth a line, not a failure.
func (a *app) readError(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		a.warn("interrupted: this is what was read until then")
		return nil
	case errors.Is(err, captures.ErrCut):
		a.warn(err.Error())
		return nil
	case a.out.failed(err):
		return err // it is not the input that is wrong
	}
	return &exitError{exitUnreadable, err}
}

// warn writes a line to standard error, after what went to standard output.
func (a *app) warn(text string) {
	a.out.Flush()
	fmt.Fprintf(a.stderr, "odxray: %s\n", report.Escape(text))
}
