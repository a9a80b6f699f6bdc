//go:build tshark

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// serviceTime is a line of tshark -z smb2,srt: number and name of a command, calls,
// minimum, maximum, average, sum.
var serviceTime = regexp.MustCompile(`^ *(\d+) +\S.*?  +(\d+) +(\d+\.\d+) +(\d+\.\d+) +\d+\.\d+ +(\d+\.\d+)$`)

// serviceKnown are the captures and commands where tshark's figures are others.
var serviceKnown = []struct{ glob, command, reason string }{
	{"*", "OPLOCK_BREAK", "tshark counts no acknowledgements of breaks"},
	{"torture_smb2_session.*", "CHANGE_NOTIFY", "tshark counts a cancelled call from its CANCEL"},
	{"torture_smb2_notify*", "CHANGE_NOTIFY", "tshark counts a cancelled call from its CANCEL"},
	{"torture_smb2_compound.*", "CHANGE_NOTIFY", "tshark counts a cancelled call from its CANCEL"},
	{"torture_smb2_compound_find.*", "QUERY_DIRECTORY", "tshark does not put the largest answer together"},
	{"truncated_file.*", "READ", "tshark drops the answer that the file ends in"},
	{"reset_midtransfer.*", "READ", "tshark drops the answer that the connection ends in"},
	{"snaplen_200_meta.*", "*", "tshark takes no message that a cut frame ends"},
	{"impacket_server.*", "*", "on port 4450, which tshark does not know"},
	{"sll2_any_nano.*", "*", "every frame is there twice: tshark forgets what is repeated"},
	{"rocev2*", "*", "SMB Direct"},
	{"siw*", "*", "SMB Direct"},
	{"odx-rocev2*", "*", "SMB Direct"},
}

func serviceDiffers(file, command string) bool {
	for _, k := range serviceKnown {
		if ok, err := filepath.Match(k.glob, filepath.Base(file)); ok && err == nil && (k.command == "*" || k.command == command) {
			return true
		}
	}
	return false
}

// TestTsharkStats compares stats by command with tshark's service response times.
func TestTsharkStats(t *testing.T) {
	if _, err := exec.LookPath("tshark"); err != nil {
		t.Skip("tshark is not installed")
	}
	var files []string
	for _, pattern := range []string{"*.snoop", "*.pcap", "*.pcap.zst"} {
		found, err := filepath.Glob(filepath.Join(capturesDir(), "own", pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	if files == nil {
		t.Skipf("no captures in %s: set ODXRAY_CAPTURES", capturesDir())
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			theirs := make(map[string]string)
			for _, line := range outputOf(t, "tshark", "--disable-protocol", "artemis", "-o", "tcp.reassemble_out_of_order:TRUE",
				"-r", file, "-q", "-z", "smb2,srt") {
				if m := serviceTime.FindStringSubmatch(line); m != nil {
					n, err := strconv.Atoi(m[1])
					if err != nil {
						t.Fatal(err)
					}
					name := fmt.Sprintf("0x%04x", n)
					if n < len(commandNames) {
						name = commandNames[n]
					}
					theirs[name] = fmt.Sprintf("%s calls, %s to %s, %s s", m[2], m[3], m[4], m[5])
				}
			}
			for command, got := range serviceTimes(t, file) {
				if got != theirs[command] && !serviceDiffers(file, command) {
					t.Errorf("%s: %s; tshark: %s", command, got, theirs[command])
				}
				delete(theirs, command)
			}
			for command, want := range theirs {
				if !serviceDiffers(file, command) {
					t.Errorf("%s: none; tshark: %s", command, want)
				}
			}
		})
	}
}

var commandNames = strings.Fields(`NEGOTIATE SESSION_SETUP LOGOFF TREE_CONNECT TREE_DISCONNECT CREATE CLOSE FLUSH READ WRITE LOCK IOCTL
	CANCEL ECHO QUERY_DIRECTORY CHANGE_NOTIFY QUERY_INFO SET_INFO OPLOCK_BREAK`)

// serviceTimes runs stats, and prints each line as the test does tshark's.
func serviceTimes(t *testing.T, file string) map[string]string {
	var stdout, stderr bytes.Buffer
	if code := run([]string{"stats", file, "-T", "json"}, nil, &stdout, &stderr); code != exitOK {
		t.Fatalf("status %d: %s", code, &stderr)
	}
	list := make(map[string]string)
	for line := range strings.Lines(stdout.String()) {
		var g struct {
			Name    string
			Calls   int
			Seconds *struct{ Min, Max, Sum float64 }
		}
		if err := json.Unmarshal([]byte(line), &g); err != nil {
			t.Fatal(err)
		}
		if s := g.Seconds; s != nil {
			list[g.Name] = fmt.Sprintf("%d calls, %.6f to %.6f, %.6f s", g.Calls, micro(s.Min), micro(s.Max), micro(s.Sum))
		}
	}
	return list
}

// micro rounds to microseconds as tshark does.
func micro(s float64) float64 { return math.Round(s*1e6) / 1e6 }
