//go:build tshark

package main

import (
	"os/exec"
	"slices"
	"testing"

	"github.com/odxray/odxray/replay/copies"
)

// TestTsharkCopy compares what odxray and tshark make of the lab server's captures of
// each kind of copy.
func TestTsharkCopy(t *testing.T) {
	if _, err := exec.LookPath("tshark"); err != nil {
		t.Skip("tshark is not installed")
	}
	fields := slices.DeleteFunc(slices.Clone(tsharkFields), func(f string) bool { return !tsharkHas(t)[f] })
	for _, method := range copies.Methods() {
		capture, _ := labCapture(t, method, "--no-verify")
		compareWithTshark(t, capture, fields, readKnown(t), nil, nil)
	}
}
