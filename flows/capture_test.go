package flows

import (
	"context"
	"testing"

	"github.com/odxray/odxray/dissect/wire"
)

// Random access shows of a frame what the pass showed of it.
func TestSecondLook(t *testing.T) {
	const sample = "../captures/samples/copy-sparse2.snoop"
	c, err := Open([]string{sample}, Options{Index: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	pass, err := Open([]string{sample}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer pass.Close()
	var tree, again wire.Tree
	err = pass.List(context.Background(), &tree, nil, func(want *Row) bool {
		frame := want.Frame
		var got Row
		if err := c.Row(want.Frame, &got); err != nil || got.Info != want.Info {
			t.Errorf("frame %d: %q, %v; the pass showed %q", want.Frame, got.Info, err, want.Info)
		}
		if err := c.Detail(want.Frame, &again); err != nil {
			t.Errorf("frame %d: %v", want.Frame, err)
		}
		if want, got := messages(&tree), messages(&again); got != want {
			t.Errorf("frame %d: %d messages, %d in the pass", frame, got, want)
		}
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
}

// messages counts the SMB2 messages in a tree.
func messages(t *wire.Tree) (n int) {
	for i := range t.Nodes {
		if t.Nodes[i].Field.Name == "smb2.cmd" {
			n++
		}
	}
	return n
}
