package main

import (
	"errors"
	"io/fs"
	"os"
	"regexp"

	"github.com/spf13/cobra"
)

func rootCommand(a *app) *cobra.Command {
	var in input
	cmd := &cobra.Command{
		Use:   "odxray FILE...",
		Short: "Shows and audits the offloaded copies in captures of SMB file traffic",
		Long: `odxray opens packet captures of SMB file traffic, finds the copies in them and
follows every offload token from the call that minted it to the calls that spent it.

odxray FILE opens the terminal UI, or prints a summary where output is no terminal. A FILE
may be -, standard input. A subcommand wins over a file of its name: write ./list for that.`,
		Example: "  odxray trace.pcapng\n  odxray audit trace.pcapng --fail-on warning\n  odxray demo",
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(in.files)+len(args) == 0 {
				return cmd.Help()
			}
			if err := a.noCommand(cmd, args); err != nil {
				return err
			}
			return a.open(cmd, &in, args)
		},
		SilenceErrors:              true,
		SilenceUsage:               true,
		SuggestionsMinimumDistance: 2,
		Version:                    version(),
		CompletionOptions:          cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	cmd.SetVersionTemplate("{{.Version}}\n")
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &exitError{exitUsage, err} })
	in.flags(cmd)
	cmd.PersistentFlags().BoolVar(&a.plain, "plain", false, "lines of text only, for screen readers and logs: no colour, no progress bar,\nand in place of the terminal UI what it shows")
	colorFlag(a, cmd)
	cmd.AddCommand(
		summaryCommand(a), listCommand(a), showCommand(a), exchangesCommand(a), copiesCommand(a), tokensCommand(a), rdmaCommand(a), whyCommand(a),
		auditCommand(a), statsCommand(a), copyCommand(a), replayCommand(a), serveCommand(a),
		demoCommand(a), fieldsCommand(a), explainCommand(a), completionCommand(a), versionCommand(a))
	cmd.AddCommand(liveCommand(a))
	cmd.InitDefaultHelpCmd()
	if help, _, err := cmd.Find([]string{"help"}); err == nil {
		help.Args = func(_ *cobra.Command, args []string) error {
			if found, _, err := cmd.Find(args); len(args) > 0 && (err != nil || found == cmd) {
				return usagef("%q is no command%s", args[0], didYouMean(args[0], names(cmd)))
			}
			return nil
		}
	}
	return cmd
}

// colorFlag gives all commands --color.
func colorFlag(a *app, cmd *cobra.Command) {
	choice := choiceValue{&a.color, []string{"auto", "always", "never"}}
	a.color = "auto"
	cmd.PersistentFlags().Var(choice, "color", "colour text: "+choice.list())
	complete(cmd, "color", choice.of)
}

// word is what a command could be called.
var word = regexp.MustCompile(`^[A-Za-z][A-Za-z-]*$`)

// noCommand reports a word that was meant as a command: it is no file.
func (a *app) noCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 || !word.MatchString(args[0]) {
		return nil
	}
	if _, err := os.Stat(args[0]); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return usagef("%q is no command and no file%s", args[0], didYouMean(args[0], names(cmd)))
}

// names lists the commands.
func names(cmd *cobra.Command) (list []string) {
	for _, c := range cmd.Commands() {
		list = append(list, c.Name())
	}
	return list
}
