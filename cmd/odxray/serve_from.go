package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/odxray/odxray/dissect/seal"
	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/report"
	"github.com/odxray/odxray/replay/captured"
	"github.com/odxray/odxray/replay/server"
)

// fromFlags are what odxray serve is told of the captured server.
type fromFlags struct {
	files     []string
	unmatched string
	keys      keyFlags
	flows.Options
}

func (f *fromFlags) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringArrayVar(&f.files, "from", nil, "be the server of the capture `FILE`; several are one timeline")
	f.unmatched = captured.Choices[0]
	flags.Var(choiceValue{&f.unmatched, captured.Choices}, "unmatched", "with --from: a request that the capture does not hold is refused, gets the nearest answer, or one of the lab server: "+strings.Join(captured.Choices, ", "))
	complete(cmd, "unmatched", captured.Choices)
	f.keys.flags(flags)
	flags.VarP((*decodeAs)(&f.Options), "decode-as", "d", "take a TCP port for SMB: `tcp.port==N,nbss`, or iwarp_mpa for SMB Direct over iWARP")
}

// recording reads the captures of --from. The capture is to be closed after the server.
func (a *app) recording(ctx context.Context, f *fromFlags) (_ *captured.Recording, _ *flows.Capture, err error) {
	if f.Keys, err = f.keys.keys(); err != nil {
		return nil, nil, err
	}
	f.Index = true
	c, err := flows.Open(f.files, f.Options)
	if err != nil {
		return nil, nil, &exitError{exitUnreadable, err}
	}
	a.capture = c
	var r *captured.Recording
	err = a.pass(ctx, c.Run, func() error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var err error
		if r, err = captured.Read(c); err != nil {
			return &exitError{exitUnreadable, err}
		}
		for _, p := range r.Problems {
			a.warn(p)
		}
		if r.Requests() == 0 {
			return &exitError{exitUnreadable, errors.New("the capture holds no request that a server could answer")}
		}
		return nil
	})
	if err != nil {
		c.Close()
		return nil, nil, err
	}
	return r, c, nil
}

// script has the lab server be that of a recording.
func (f *serveFlags) script(r *captured.Recording, cfg *server.Config) *captured.Server {
	s := captured.New(r, captured.Unmatched(f.from.unmatched))
	cfg.Script, cfg.Guest = s, cfg.Guest || r.Guests()
	if !f.shareGiven {
		cfg.Share = r.Share()
	}
	return s
}

// capturedUsers lets those log on who did in the capture, with the password that it was
// opened with. It returns their names.
func (f *serveFlags) capturedUsers(r *captured.Recording, cfg *server.Config) (names []string) {
	passwords := withEnvironment(f.from.keys.passwords, "ODXRAY_PASSWORD")
	if len(f.users) > 0 || len(passwords) != 1 {
		return nil
	}
	for _, user := range r.Users {
		name := strings.ToLower(user[strings.LastIndexByte(user, '\\')+1:])
		if _, known := cfg.Users[name]; name != "" && !known {
			cfg.Users[name] = seal.NTHash(passwords[0])
			names = append(names, report.Escape(name))
		}
	}
	return names
}

// from says whose server it is.
func (f *serveFlags) banner() string {
	if len(f.from.files) == 0 {
		return "a lab server, no production file server"
	}
	return fmt.Sprintf("the server of %s", report.Escape(strings.Join(f.from.files, ", ")))
}
