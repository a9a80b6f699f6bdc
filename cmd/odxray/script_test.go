package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/odxray/odxray/captures/samples"
)

// The stories under testdata/script run the program as a user would. A line
// "exits 2 odxray …" wants that status. Each finds the sample capture as sparse.snoop, and
// the first 31 frames of an encrypted session of smb_alice as sealed.pcap; rdma.pcap is a
// session over RoCEv2 as far as its first WRITE.

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"odxray": main})
}

func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireUniqueNames:  true,
		RequireExplicitExec: true,
		UpdateScripts:       os.Getenv("ODXRAY_UPDATE") != "",
		Setup: func(env *testscript.Env) error {
			env.Setenv("TZ", "America/Los_Angeles")
			env.Setenv("NO_COLOR", "")
			env.Setenv("GORACE", "atexit_sleep_ms=0") // under -race, a program would wait a second before it ends
			for name, from := range map[string]string{"sealed.pcap": filepath.Join("testdata", "sealed.pcap"), "rdma.pcap": filepath.Join("..", "..", "flows", "testdata", "rocev2.pcap")} {
				b, err := os.ReadFile(from)
				if err != nil {
					return err
				}
				if err := os.WriteFile(filepath.Join(env.WorkDir, name), b, 0o666); err != nil {
					return err
				}
			}
			sample, err := samples.Bytes(samples.Demo)
			if err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(env.WorkDir, "sparse.snoop"), sample, 0o666)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
	})
}

// exits runs a program and wants the exit status that its first argument names.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS PROGRAM ARG...")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	if err != nil {
		got = filepath.Base(err.Error()) // "exit status 2"
		got = got[len("exit status "):]
	}
	if got != args[0] {
		ts.Fatalf("exit status %s, want %s", got, args[0])
	}
}
