package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestRecipe runs what docs/replay.md says that CI systems can run.
func TestRecipe(t *testing.T) {
	doc, err := os.ReadFile(filepath.Join("..", "..", "docs", "replay.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, recipe, _ := strings.Cut(string(doc), "```bash\n")
	recipe, _, ok := strings.Cut(recipe, "```\n")
	if !ok {
		t.Fatal("docs/replay.md has no recipe")
	}
	trace, err := os.ReadFile(filepath.Join("..", "..", "replay", "testdata", "scopy_50m.pcap"))
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Files:               []string{filepath.Join("testdata", "recipe.txtar")},
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return err
			}
			defer l.Close()
			_, port, _ := net.SplitHostPort(l.Addr().String())
			env.Setenv("PORT", port)
			for name, content := range map[string]string{"recipe.sh": recipe, "trace.pcap": string(trace)} {
				if err := os.WriteFile(filepath.Join(env.WorkDir, name), []byte(content), 0o666); err != nil {
					return err
				}
			}
			return nil
		},
		Condition: func(name string) (bool, error) {
			_, err := os.Stat("/usr/sbin/smbd")
			return name == "smbd" && err == nil && os.Getuid() == 0, nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
	})
}
