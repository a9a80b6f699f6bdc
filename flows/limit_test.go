package flows

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/odxray/odxray/flows/flowtest"
)

// A pass that may take little memory forgets the oldest frames and stories, says so,
// and still knows the newest.
func TestMaxMemory(t *testing.T) {
	var made flowtest.Capture
	client := made.Login("10.0.0.1:50000", "10.0.0.2:445", `\\fs\share`)
	const copies = 7
	for i := range copies {
		from, to := client.Open(fmt.Sprint("from", i), 1<<30), client.New(fmt.Sprint("to", i))
		token := flowtest.NewToken(byte(i), 1, 2)
		client.OffloadRead(from, 0, 1<<30, 1<<30, token)
		for k := range uint64(1000) {
			client.OffloadWrite(to, k<<20, 1<<20, k<<20, token, 1<<20)
		}
		client.Close(from)
		client.Close(to)
	}
	file := flowtest.Write(t, "copies.pcapng", made.Packets)

	open := func(max uint64) *Capture {
		c, err := Open([]string{file}, Options{Index: true, MaxMemory: max})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		if err := c.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		return c
	}
	whole, little := open(0), open(1<<20)

	problems := strings.Join(little.Results().Problems, "\n")
	if !strings.Contains(problems, "copies were forgotten") || !strings.Contains(problems, "frames 1 to ") || !little.Results().Incomplete {
		t.Errorf("problems: %s", problems)
	}
	if p := whole.Results().Problems; len(p) > 0 {
		t.Errorf("without a limit: %s", p)
	}
	for i, y := range little.Results().Copies {
		if want := whole.Results().Copies[i]; y.Bytes != want.Bytes || y.Verdict != want.Verdict || y.Writes != want.Writes {
			t.Errorf("copy %d: %d bytes by %d calls, %v; with more memory %d by %d, %v", y.ID, y.Bytes, y.Writes, y.Verdict, want.Bytes, want.Writes, want.Verdict)
		}
	}
	var row, want Row
	if little.Row(1, &row) == nil {
		t.Errorf("frame 1 is still known: %s", row.Info)
	}
	last := whole.Frames()
	if err := whole.Row(last, &want); err != nil {
		t.Fatal(err)
	}
	if err := little.Row(last, &row); err != nil || row.Info != want.Info {
		t.Errorf("the last frame: %q, %v; with more memory %q", row.Info, err, want.Info)
	}
}
