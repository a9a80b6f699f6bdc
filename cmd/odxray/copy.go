package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/odxray/odxray/flows/report"
	"github.com/odxray/odxray/replay/client"
	"github.com/odxray/odxray/replay/copies"
)

func copyCommand(a *app) *cobra.Command {
	var t targetFlags
	var method string
	var force, noVerify bool
	cmd := &cobra.Command{
		Use:   "copy smb://USER@HOST/SHARE/FILE smb://USER@HOST/SHARE/FILE",
		Short: "Copies a file on a server by offload, by chunks, by shared extents, or plainly",
		Long: `copy makes one copy of a file by the way that --method says, and reads both back to prove
that they are the same. It never falls back to another way: where the server refuses, it says
so. Plain copies may go from one server to another.

A destination that is there is left alone without --force, and one that could not be finished
is removed. A space in a name is written %20, a domain smb://DOMAIN;USER@HOST/…; the password
is asked for, or comes from --password-file or $ODXRAY_PASSWORD.`,
		Example: "  odxray copy --method odx smb://alice@server/share/disk.vhdx smb://alice@server/share/copy.vhdx",
		Args:    args(cobra.ExactArgs(2)),
	}
	words := choiceValue{&method, copies.Methods()}
	method = words.of[0]
	cmd.Flags().Var(words, "method", "how to copy: "+words.list())
	complete(cmd, "method", words.of)
	cmd.Flags().BoolVar(&force, "force", false, "replace a destination that is there")
	cmd.Flags().BoolVar(&noVerify, "no-verify", false, "do not read both files back")
	t.flags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		from, err := parseTarget(args[0], true)
		if err != nil {
			return err
		}
		to, err := parseTarget(args[1], true)
		if err != nil {
			return err
		}
		job := &copies.Job{
			Method: copies.Method(method), Source: from.Path, Destination: to.Path, Replace: force, Verify: !noVerify,
		}
		if !from.Server(to) && job.Method != copies.Plain {
			return usagef("a copy by %s is made by one server, for one user: only --method plain goes from one to another", method)
		}
		return a.copy(cmd.Context(), &t, from, to, job)
	}
	return cmd
}

func (a *app) copy(ctx context.Context, t *targetFlags, from, to *client.Target, job *copies.Job) error {
	source, err := a.logIn(ctx, t, from)
	if err != nil {
		return err
	}
	defer source.Conn.Close()
	destination := source
	if !from.Server(to) {
		if destination, err = a.logIn(ctx, t, to); err != nil {
			return err
		}
		defer destination.Conn.Close()
	}
	if job.From, err = source.TreeConnect(ctx, from.UNC()); err != nil {
		return unreached(ctx, err)
	}
	if job.To, err = destination.TreeConnect(ctx, to.UNC()); err != nil {
		return unreached(ctx, err)
	}
	stop := a.copyProgress(job)
	r, err := copies.Copy(ctx, job)
	stop()
	switch {
	case errors.Is(err, copies.ErrDiffers):
		return &exitError{exitFindings, err}
	case errors.Is(err, copies.ErrExists):
		return usagef("%w; --force replaces it", err)
	case errors.Is(err, copies.ErrSame):
		return usagef("%w", err)
	case err != nil:
		return unreached(ctx, err)
	}
	return printCopy(a, job, r)
}

// printCopy says what was done.
func printCopy(a *app, job *copies.Job, r *copies.Result) error {
	calls := ""
	switch job.Method {
	case copies.ODX:
		calls = fmt.Sprintf("%s, %s", report.Plural(r.Reads, "offload read", "offload reads"), report.Plural(r.Writes, "offload write", "offload writes"))
		if r.Zeros > 0 {
			calls += fmt.Sprintf(", %s of zeros at the end not written", report.Size(uint64(r.Zeros)))
		}
	case copies.CopyChunk:
		calls = report.Plural(r.Writes, "request of chunks", "requests of chunks")
	case copies.DuplicateExtents:
		calls = report.Plural(r.Writes, "range shared", "ranges shared")
	default:
		calls = fmt.Sprintf("%s, %s", report.Plural(r.Reads, "block read", "blocks read"), report.Plural(r.Writes, "block written", "blocks written"))
	}
	fmt.Fprintf(a.out, "copied %s by %s: %s\n", report.Size(uint64(r.Bytes)), job.Method, calls)
	if r.SHA256 != "" {
		fmt.Fprintf(a.out, "verified: SHA-256 of both is %s\n", r.SHA256)
	}
	return nil
}

// logIn connects to a target.
func (a *app) logIn(ctx context.Context, t *targetFlags, at *client.Target) (*client.Session, error) {
	o, err := t.options()
	if err != nil {
		return nil, err
	}
	who, err := a.credentials(t, at)
	if err != nil {
		return nil, err
	}
	s, err := at.Dial(ctx, o, who)
	return s, unreached(ctx, err)
}

// copyProgress shows on standard error, if that is a terminal, how far a copy is.
func (a *app) copyProgress(job *copies.Job) (stop func()) {
	f, ok := a.stderr.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return func() {}
	}
	var bar *progressbar.ProgressBar
	at := ""
	job.Progress = func(stage string, done, of int64) {
		if stage != at {
			if bar != nil {
				_ = bar.Clear()
			}
			at = stage
			bar = progressbar.NewOptions64(of,
				progressbar.OptionSetWriter(f), progressbar.OptionSetDescription(stage), progressbar.OptionSetWidth(30),
				progressbar.OptionShowBytes(true), progressbar.OptionSetPredictTime(true), progressbar.OptionThrottle(200*time.Millisecond))
		}
		_ = bar.Set64(done) // nothing depends on a line that could not be drawn
	}
	return func() {
		if bar != nil {
			_ = bar.Clear()
		}
	}
}
