package report

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/odxray/odxray/captures"
	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/flowtest"
)

// stalled is a capture that has brought all it has and will bring more, some day.
func stalled(t *testing.T) *flows.Capture {
	t.Helper()
	var made flowtest.Capture
	made.Dial("10.0.0.1:50000", "10.0.0.2:445")
	file := flowtest.Pcapng(made.Packets)
	r, w := io.Pipe()
	t.Cleanup(func() { w.Close() })
	go func() { _, _ = w.Write(file) }()
	source, err := captures.NewReader(r, "a pipe")
	if err != nil {
		t.Fatal(err)
	}
	return flows.New(source, flows.Options{})
}

// lines tells of every write, until it fails.
type lines struct {
	said  chan string
	fails error
}

func (l lines) Write(b []byte) (int, error) {
	l.said <- string(b)
	return len(b), l.fails
}

// TestListStalled: a list of what comes slowly has the lines of all that has come, and ends
// when it cannot be written to, though nothing more comes.
func TestListStalled(t *testing.T) {
	for _, fails := range []error{nil, errors.New("no room left")} {
		w := lines{make(chan string, 10), fails}
		ended := make(chan error, 1)
		c := stalled(t)
		go func() { ended <- List(t.Context(), w, c, ListOptions{Format: Text}) }()
		select {
		case <-w.said:
		case <-time.After(10 * time.Second):
			t.Fatal("no line")
		}
		if fails == nil {
			continue
		}
		select {
		case err := <-ended:
			if !errors.Is(err, fails) {
				t.Error(err)
			}
		case <-time.After(10 * time.Second):
			t.Error("it waits for more to write where nothing can be written")
		}
	}
}

// interrupted is a capture of two reads; with the second, somebody has lost patience.
type interrupted struct {
	captures.Source
	cancel func()
}

func (s interrupted) ReadBatch(b *captures.Batch) error {
	err := s.Source.ReadBatch(b)
	s.cancel()
	return err
}

// TestListInterrupted: what has been read is written before anything is made of it that may
// take long, for who interrupts does not wait for that.
func TestListInterrupted(t *testing.T) {
	var made flowtest.Capture
	made.Dial("10.0.0.1:50000", "10.0.0.2:445")
	source, err := captures.Open(flowtest.Write(t, "x.pcapng", made.Packets))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	w := lines{make(chan string, 10), nil}
	judged := func(r *flows.Results) []flows.Finding {
		if r.Done && len(w.said) == 0 {
			t.Error("the lines still wait when the capture is judged")
		}
		return nil
	}
	c := flows.New(interrupted{source, cancel}, flows.Options{Judge: judged})
	defer c.Close()
	if err := List(ctx, w, c, ListOptions{Format: Text}); !errors.Is(err, context.Canceled) || len(w.said) == 0 {
		t.Error(err, len(w.said))
	}
}
