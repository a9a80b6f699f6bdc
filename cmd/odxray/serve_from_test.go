package main

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/odxray/odxray/captures/samples"
)

// TestServeFrom closes the loop by the commands themselves: the example's client is
// replayed at the example's server, which then tells what it was asked; and once more,
// while that server goes wrong on purpose, which the audit sees.
func TestServeFrom(t *testing.T) {
	sample, err := samples.Bytes(samples.Demo)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	trace, seen := filepath.Join(dir, "sparse.snoop"), filepath.Join(dir, "seen.pcapng")
	if err := os.WriteFile(trace, sample, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("ODXRAY_TO_PASSWORD", "secret")
	for _, c := range []struct {
		flags                 []string
		replay, serve, stderr string
		code                  int
	}{
		{nil, "150 answers the same of 150", "149 requests: 149 answered from the capture, 0 not in it\n149 of the 149 requests of the capture were made\n", "", 0},
		{[]string{"--overwrite", "--fault", "offload-write:status=STATUS_DISK_FULL,after=50,count=1"},
			"148 answers the same of 150", "148 of the 149 requests of the capture were made; not those of frames 180\n",
			"fault offload-write:status=STATUS_DISK_FULL,after=50,count=1: 1 of 113 requests.", 1},
	} {
		cmd := exec.Command(os.Args[0], append([]string{"serve", "--from", trace, "--user", "lab:secret", "--pcap", seen, "--listen", "127.0.0.1:0"}, c.flags...)...)
		cmd.Args[0] = "odxray"
		var stdout bytes.Buffer
		cmd.Stdout = &stdout
		pipe, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(pipe)
		lines.Scan()
		at := regexp.MustCompile(`^odxray serve: the server of .*sparse\.snoop\. .* on (127\.0\.0\.1:\d+), user lab\.$`).FindStringSubmatch(lines.Text())
		if at == nil {
			_ = cmd.Process.Kill()
			t.Fatalf("%q", lines.Text())
		}
		said := make(chan string)
		go func() {
			var b strings.Builder
			for lines.Scan() {
				b.WriteString(lines.Text() + "\n")
			}
			said <- b.String()
		}()
		var out, stderr bytes.Buffer
		code := run([]string{"replay", trace, "--to", "smb://lab@" + at[1] + "/share", "--anywhere", "--yes"}, strings.NewReader(""), &out, &stderr)
		if code != c.code || !strings.Contains(out.String(), c.replay) {
			t.Errorf("%q: status %d\n%s%s", c.flags, code, out.String(), stderr.String())
		}
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		text := <-said
		if err := cmd.Wait(); err != nil || !strings.HasSuffix(stdout.String(), c.serve) || !strings.Contains(text, c.stderr) {
			t.Errorf("%q: %v\n%s%s", c.flags, err, stdout.String(), text)
		}
	}
	var out, stderr bytes.Buffer
	if code := run([]string{"audit", seen}, nil, &out, &stderr); code != 1 || !strings.Contains(out.String(), "warning copy/abandoned: FSCTL_OFFLOAD_WRITE failed with STATUS_DISK_FULL") {
		t.Errorf("status %d\n%s%s", code, out.String(), stderr.String())
	}
}
