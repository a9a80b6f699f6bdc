package ntstatus

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func TestString(t *testing.T) {
	for _, tt := range []struct {
		s    Status
		want string
	}{
		{Success, "STATUS_SUCCESS"},
		{StoppedOnSymlink, "STATUS_STOPPED_ON_SYMLINK"},
		{0xc0020001, "RPC_NT_INVALID_STRING_BINDING"},
		{InvalidToken, "STATUS_INVALID_TOKEN"},
		{OffloadReadFilterUnsupported, "STATUS_OFFLOAD_READ_FLT_NOT_SUPPORTED"},
		{OffloadWriteFilterUnsupported, "STATUS_OFFLOAD_WRITE_FLT_NOT_SUPPORTED"},
		{OffloadReadFileUnsupported, "STATUS_OFFLOAD_READ_FILE_NOT_SUPPORTED"},
		{OffloadWriteFileUnsupported, "STATUS_OFFLOAD_WRITE_FILE_NOT_SUPPORTED"},
		{0xffffffff, "Unknown"},
	} {
		if got := tt.s.String(); got != tt.want {
			t.Errorf("%#x is %s, want %s", uint32(tt.s), got, tt.want)
		}
		if got, ok := Lookup(tt.want); ok && got != tt.s {
			t.Errorf("Lookup(%s) = %#x", tt.want, uint32(got))
		}
	}
	if got, want := EndOfFile.Text(), "The end-of-file marker has been reached."; !strings.Contains(got, want) {
		t.Errorf("EndOfFile: %q", got)
	}
}

func TestTable(t *testing.T) {
	for i := 1; i < len(table); i++ {
		if table[i-1].code >= table[i].code {
			t.Errorf("%#x does not belong before %#x", uint32(table[i-1].code), uint32(table[i].code))
		}
	}
}

// TestGenerated has gen.go write the table again.
func TestGenerated(t *testing.T) {
	dir := t.TempDir()
	if out, err := exec.Command("go", "run", "gen.go", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	got, err := os.ReadFile(filepath.Join(dir, "zntstatus.go"))
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("zntstatus.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("ntstatus.txt has changed: run go generate")
	}
}

// TestTshark asks tshark for its names.
func TestTshark(t *testing.T) {
	out, err := exec.Command("tshark", "-G", "values").Output()
	if err != nil {
		t.Skip("tshark -G values: ", err)
	}
	for line := range strings.Lines(string(out)) {
		cells := strings.Split(strings.TrimSpace(line), "\t")
		if cells[0] != "V" || cells[1] != "smb2.nt_status" {
			continue
		}
		code, err := strconv.ParseUint(cells[2], 0, 32)
		if got := Status(code).String(); err != nil || got != cells[3] {
			t.Errorf("%s is %s to us and %s to tshark", cells[2], got, cells[3])
		}
	}
}
