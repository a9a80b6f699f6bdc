package fscc

import (
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

func TestCodes(t *testing.T) {
	for _, tt := range []struct {
		code Code
		want string
	}{
		{OffloadRead, "FSCTL_OFFLOAD_READ"},
		{DuplicateExtents, "FSCTL_DUPLICATE_EXTENTS_TO_FILE"},
		{DuplicateExtentsEx, "FSCTL_DUPLICATE_EXTENTS_TO_FILE_EX"},
		{SetReparsePoint, "FSCTL_SET_REPARSE_POINT"},
		{0x83840003, "Unknown"},
	} {
		if got := tt.code.String(); got != tt.want {
			t.Errorf("%#x is %s, want %s", uint32(tt.code), got, tt.want)
		}
	}
}

// TestTshark asks tshark for its names.
func TestTshark(t *testing.T) {
	out, err := exec.Command("tshark", "-G", "values").Output()
	if err != nil {
		t.Skip("tshark -G values: ", err)
	}
	name := map[string]func(uint64) string{
		"smb2.ioctl.function":        func(v uint64) string { return Code(v).String() },
		"smb2.ioctl.function.device": func(v uint64) string { return Device(v).String() },
		"smb2.ioctl.function.access": func(v uint64) string { return Access(v).String() },
		"smb2.ioctl.function.method": func(v uint64) string { return Method(v).String() },
	}
	for line := range strings.Lines(string(out)) {
		cells := strings.Split(strings.TrimSpace(line), "\t")
		if cells[0] != "V" || name[cells[1]] == nil {
			continue
		}
		v, err := strconv.ParseUint(cells[2], 0, 32)
		if got := name[cells[1]](v); err != nil || got != cells[3] {
			t.Errorf("%s %s is %s to us and %s to tshark", cells[1], cells[2], got, cells[3])
		}
	}
}
