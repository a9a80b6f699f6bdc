package flows

import (
	"bytes"
	"context"
	"testing"

	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/flows/flowtest"
)

// indexed is a capture that was read to its end, with an index.
func indexed(t *testing.T, path string) *Capture {
	t.Helper()
	c, err := Open([]string{path}, Options{Index: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	return c
}

// A message comes again by its place as it came before, also those of compounds.
func TestMessageAt(t *testing.T) {
	c := indexed(t, "../captures/samples/copy-sparse2.snoop")
	var all []Message
	if err := c.EachMessage(func(m *Message) bool {
		held := *m
		held.Bytes = bytes.Clone(m.Bytes)
		all = append(all, held)
		return true
	}); err != nil || len(all) < 100 {
		t.Fatalf("%d messages, %v", len(all), err)
	}
	chained := 0
	for i := len(all) - 1; i >= 0; i-- {
		want, n := &all[i], 0
		if want.Position > 0 {
			chained++
		}
		err := c.MessageAt(want.Place, func(m *Message) {
			if n++; !bytes.Equal(m.Bytes, want.Bytes) || m.Frame != want.Frame || m.Position != want.Position || m.Exchange != want.Exchange {
				t.Errorf("message %d: frame %d, position %d", i, m.Frame, m.Position)
			}
		})
		if err != nil || n != 1 {
			t.Errorf("message %d came %d times, %v", i, n, err)
		}
	}
	if chained == 0 {
		t.Error("no compound in the capture")
	}
	for _, place := range []int{-1, len(all)} {
		if err := c.MessageAt(place, func(*Message) { t.Errorf("a message at %d", place) }); err != nil {
			t.Error(err)
		}
	}
}

// The messages come whole, each once, in the order of their frames, and name the exchange
// that they are of.
func TestEachMessage(t *testing.T) {
	c := indexed(t, "../captures/samples/copy-sparse2.snoop")
	type key struct {
		exchange int
		answer   bool
	}
	seen := make(map[key]int)
	count, last := 0, 0
	var d smb2.Decoder
	err := c.EachMessage(func(m *Message) bool {
		count++
		if m.Frame < last {
			t.Errorf("frame %d after %d", m.Frame, last)
		}
		last = m.Frame
		if m.Closed || m.Size != len(m.Bytes) || !bytes.HasPrefix(m.Bytes, []byte("\xfeSMB")) {
			t.Errorf("frame %d: %d bytes of %d", m.Frame, len(m.Bytes), m.Size)
		}
		cur := wire.New(m.Bytes, nil)
		if got := d.Decode(&cur, nil); got.Err != nil || m.FromServer != (got.Flags&smb2.FlagResponse != 0) {
			t.Errorf("frame %d: %v, from the server %v", m.Frame, got.Err, m.FromServer)
		}
		if m.Exchange >= 0 && !m.Interim {
			seen[key{m.Exchange, m.FromServer}]++
		}
		return true
	})
	if err != nil || count != c.Results().Messages {
		t.Errorf("%d messages of %d, %v", count, c.Results().Messages, err)
	}
	for i := range c.Exchanges() {
		var x Exchange
		c.Exchange(i, &x)
		for _, k := range []key{{i, false}, {i, true}} {
			frame := x.RequestFrame
			if k.answer {
				frame = x.AnswerFrame
			}
			if want := map[bool]int{true: 1}[frame != 0]; seen[k] != want {
				t.Errorf("exchange %d, answer %v: %d messages, want %d", i, k.answer, seen[k], want)
			}
		}
	}
	n := 0
	if err := c.EachMessage(func(*Message) bool { n++; return n < 3 }); err != nil || n != 3 {
		t.Errorf("went on after false: %d, %v", n, err)
	}
}

// Messages come whole also where they went in units of iWARP.
func TestEachMessageOverIWARP(t *testing.T) {
	for name, o := range framings {
		c := indexed(t, flowtest.Write(t, "built.pcapng", overMPA(o, "5445").Packets))
		count := 0
		err := c.EachMessage(func(m *Message) bool {
			count++
			if m.Closed || m.Size != len(m.Bytes) || !bytes.HasPrefix(m.Bytes, []byte("\xfeSMB")) {
				t.Errorf("%s: frame %d: %d bytes of %d", name, m.Frame, len(m.Bytes), m.Size)
			}
			return true
		})
		if err != nil || count == 0 || count != c.Results().Messages {
			t.Errorf("%s: %d messages of %d, %v", name, count, c.Results().Messages, err)
		}
	}
}
