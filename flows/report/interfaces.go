package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/odxray/odxray/captures"
)

// bypass is what users of -D must know: odxray can see an interface and yet nothing of
// what a card moves by RDMA.
const bypass = "What a card moves by RDMA goes past the kernel and past packet sockets: an interface shows RoCE only\n" +
	"where software or a switch's mirror brings it; an RDMA device shows its own with --rdma.\n"

// Interfaces prints what can be captured from.
func Interfaces(w io.Writer, taps []captures.Tap, f Format, s Style) error {
	if f == JSON {
		j := newJSONWriter(w)
		for _, t := range taps {
			if err := j.line(struct {
				Name      string   `json:"name"`
				Kind      string   `json:"kind"`
				Up        bool     `json:"up"`
				Addresses []string `json:"addresses"`
				Able      bool     `json:"able"`
				Why       any      `json:"why"`
			}{t.Name, t.Kind, t.Up, orEmpty(t.Addresses), t.Able, known(t.Why)}); err != nil {
				return err
			}
		}
		return nil
	}
	t := table{columns: []column{{"Name", false}, {"Kind", false}, {"State", false}, {"Capture", false}, {"Addresses", false}}}
	var notes []string
	devices := false
	for _, p := range taps {
		state, able := "down", "no"
		if p.Up {
			state = "up"
		}
		if p.Able {
			able = "yes"
		}
		if p.Kind == "rdma" {
			devices = true
		}
		t.add(cell{text: Escape(p.Name)}, cell{text: p.Kind}, cell{text: state}, cell{text: able}, cell{text: Escape(strings.Join(p.Addresses, ", "))})
		if p.Why != "" && (len(notes) == 0 || !strings.HasSuffix(notes[len(notes)-1], p.Why)) {
			notes = append(notes, p.Name+": "+p.Why)
		}
	}
	if err := t.write(w, s); err != nil {
		return err
	}
	for _, n := range notes {
		if _, err := fmt.Fprintln(w, Escape(n)); err != nil {
			return err
		}
	}
	if !devices {
		if _, err := io.WriteString(w, "There is no RDMA device here (none in /sys/class/infiniband).\n"); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, bypass)
	return err
}
