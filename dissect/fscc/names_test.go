package fscc

import (
	"os/exec"
	"strings"
	"testing"
)

// TestNames asks tshark whether it knows the names that claim to be its own.
func TestNames(t *testing.T) {
	out, err := exec.Command("tshark", "-G", "fields").Output()
	if err != nil {
		t.Skip("tshark -G fields: ", err)
	}
	known := map[string]bool{"": true}
	for line := range strings.Lines(string(out)) {
		if cells := strings.Split(line, "\t"); cells[0] == "F" {
			known[cells[2]] = true
		}
	}
	for _, f := range Fields() {
		if !known[f.Name] && !strings.HasPrefix(f.Name, "odx.") && !strings.HasPrefix(f.Name, "copy.") {
			t.Errorf("%s (%s) is no name of Wireshark's", f.Name, f.Label)
		}
	}
}
