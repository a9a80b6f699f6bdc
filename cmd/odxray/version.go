package main

import (
	"cmp"
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func versionCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Version, commit and Go release",
		Args:  args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(a.out, version())
			return err
		},
	}
}

// version says what go build has recorded: "odxray v0.1.0 (commit 0123abcd, go1.26)".
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "odxray (built without information)"
	}
	commit, modified := "", ""
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			commit = s.Value
		case "vcs.modified":
			if s.Value == "true" {
				modified = ", modified"
			}
		}
	}
	return fmt.Sprintf("odxray %s (commit %s%s, %s)", cmp.Or(info.Main.Version, "(devel)"), cmp.Or(commit, "unknown"), modified, info.GoVersion)
}
