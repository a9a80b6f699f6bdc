package replay

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/replay/smbdtest"
)

// few are the captures of smbtorture that are replayed in every run of the tests: they take
// a second or so each. All are with ODXRAY_TORTURE set, as .ci/run does.
var few = []string{
	"torture_compound_enc.pcap", "torture_ioctl_SMB3_00.pcap", "torture_rpc_winreg.pcap", "torture_smb2_acls_non_canonical.pcap",
	"torture_smb2_compound.pcap", "torture_smb2_create.pcap", "torture_smb2_durable_open.pcap.zst", "torture_smb2_notify.pcap.zst", "torture_smb2_tcon.pcap",
}

// tortureRow is a line of the table in docs/replay.md: what a capture holds, and how many of
// its answers differ at most, for a reason that is known.
type tortureRow struct{ steps, known, skipped int }

var tableRow = regexp.MustCompile(`^\| (torture_\S+) \| ([\d,]+) \| ([\d,]+) \| (\d+) \| (\d+) \|$`)

func tortureTable(t *testing.T) map[string]tortureRow {
	t.Helper()
	text, err := os.ReadFile("../docs/replay.md")
	if err != nil {
		t.Fatal(err)
	}
	number := func(s string) int {
		n, _ := strconv.Atoi(strings.ReplaceAll(s, ",", ""))
		return n
	}
	rows := make(map[string]tortureRow)
	for line := range strings.Lines(string(text)) {
		if m := tableRow.FindStringSubmatch(strings.TrimSpace(line)); m != nil {
			r := tortureRow{number(m[2]), number(m[4]), number(m[5])}
			if number(m[3])+r.known+r.skipped != r.steps {
				t.Errorf("%s: the numbers of the table do not add up", m[1])
			}
			rows[m[1]] = r
		}
	}
	return rows
}

// TestTorture: the captures of smbtorture replay at the Samba that they were made with.
// Every answer is the same, or differs for a reason that is known and written down; none is
// missing, and no connection ends that did not end in the capture.
func TestTorture(t *testing.T) {
	const user = "games" // root may do what the captured user might not
	files, err := filepath.Glob(filepath.Join(captureDir(), "own", "torture_*"))
	if err != nil || len(files) == 0 {
		t.Skip("no captures of smbtorture")
	}
	server := smbdtest.StartAs(t, user, "vfs objects = acl_xattr streams_xattr", "posix locking = no", "netbios name = LABSRV", "map to guest = never")
	keys := new(flows.Keys)
	if f, err := os.Open(filepath.Join(captureDir(), "own", "keys.tsv")); err == nil {
		if err := keys.AddFile(f); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	var known *Known
	if f, err := os.Open("../docs/replay-smbtorture-known.tsv"); err != nil {
		t.Error(err)
	} else {
		if known, err = ReadKnown(f, f.Name()); err != nil {
			t.Error(err)
		}
		f.Close()
	}
	rows := tortureTable(t)
	all := os.Getenv("ODXRAY_TORTURE") != ""
	for _, file := range files {
		name := filepath.Base(file)
		if !all && !slices.Contains(few, name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			p, _ := captured(t, keys, file)
			o := at(t, server, smbdtest.Usual, "")
			if strings.Contains(name, "_enc") {
				o.Target.Share = smbdtest.Sealed
			}
			o.Order, o.Known, o.TimeOut = Captured, known, 10*time.Second
			r := replayed(t, p, o)
			c := r.Counts()
			t.Logf("%d steps: %v, in %v", len(p.Steps), c, r.Took)
			if r.Differs() {
				var b bytes.Buffer
				if err := r.Text(&b); err != nil {
					t.Fatal(err)
				}
				t.Errorf("%s", &b)
			}
			row, ok := rows[name]
			if !ok || row.steps != len(p.Steps) || c[Skipped] != row.skipped || c[KnownDifference] > row.known {
				t.Errorf("docs/replay.md wants the row\n| %s | %s | %s | %d | %d |", name, comma(len(p.Steps)), comma(c[Same]), c[KnownDifference], c[Skipped])
			}
			left, err := os.ReadDir(server.Dir)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range left { // some tests leave what their user may not remove
				if err := os.RemoveAll(filepath.Join(server.Dir, e.Name())); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func comma(n int) string {
	if n >= 1000 {
		return fmt.Sprintf("%d,%03d", n/1000, n%1000)
	}
	return strconv.Itoa(n)
}
