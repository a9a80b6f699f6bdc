package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/report"
	"github.com/odxray/odxray/ui"
)

// open shows captures in the terminal, or their summary where output is no terminal. With
// --plain it prints what the terminal would show.
func (a *app) open(cmd *cobra.Command, in *input, args []string) error {
	if a.plain {
		in.Index = true
		return a.read(cmd, in, args, func(ctx context.Context, c *flows.Capture, names []string) error {
			return a.readError(ctx, ui.Plain(ctx, c, strings.Join(names, " "), a.out))
		})
	}
	if !a.interactive {
		return a.summary(cmd, in, args, report.Text)
	}
	in.Index = true
	return a.read(cmd, in, args, a.show)
}

// show runs the terminal UI.
func (a *app) show(_ context.Context, c *flows.Capture, names []string) error {
	o := ui.Options{File: strings.Join(names, " "), NoColor: !a.style().Color, Settings: settingsFile(), Notice: spoolLine(c)}
	if a.tap != nil { // where the user was in it says nothing about what comes
		s := speed{l: a.tap}
		o.Live = &ui.Live{Status: s.status, Lost: func() bool { return s.lost }}
	} else if len(names) == 1 {
		o.State = stateFile(names[0])
	}
	return ui.Run(c, o)
}
