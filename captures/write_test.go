package captures

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/gopacket/pcapgo"
)

// TestWriter copies a file of each format and reads the copy, here and with
// pcapgo.
func TestWriter(t *testing.T) {
	for _, s := range samples() {
		t.Run(s.name, func(t *testing.T) {
			r, err := NewReader(bytes.NewReader(s.file), s.name)
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			w, err := NewWriter(&out, WriterOptions{Application: "odxray", Comments: []string{"one", "two"}, Like: r})
			if err != nil {
				t.Fatal(err)
			}
			var p Packet
			for err = r.Next(&p); err == nil; err = r.Next(&p) {
				if err := w.Packet(&p, "packet", strings.Repeat("é", p.Number)); err != nil {
					t.Fatal(err)
				}
			}
			c, err := NewReader(bytes.NewReader(out.Bytes()), "copy")
			if err != nil {
				t.Fatal(err)
			}
			got, err := readAll(c)
			if err != io.EOF || len(got) != len(s.packets) {
				t.Fatal(len(got), err)
			}
			was, is := r.Info(), c.Info()
			if is.Application != "odxray" || !slices.Equal(is.Comments, []string{"one", "two"}) {
				t.Errorf("%+v", is)
			}
			for i, q := range got {
				a, b := was.Interfaces[s.packets[i].Interface], is.Interfaces[q.Interface]
				if a.Name != b.Name || a.Snaplen != b.Snaplen || b.TimeDigits != 9 || b.FCSLen != a.FCSLen {
					t.Errorf("interface %+v became %+v", a, b)
				}
				if comments, err := c.Comments(q.Pos); err != nil || !slices.Equal(comments, []string{"packet", strings.Repeat("é", i+1)}) {
					t.Errorf("comments %q, %v", comments, err)
				}
				if q.Interface = s.packets[i].Interface; !samePacket(q, s.packets[i]) {
					t.Errorf("got %+v\nwant %+v", q, s.packets[i])
				}
			}
			ng, err := pcapgo.NewNgReader(bytes.NewReader(out.Bytes()), pcapgo.NgReaderOptions{WantMixedLinkType: true})
			if err != nil {
				t.Fatal(err)
			}
			c, err = NewReader(bytes.NewReader(out.Bytes()), "copy")
			if err != nil {
				t.Fatal(err)
			}
			compare(t, "copy", ng, c)
		})
	}
}

// TestLongComments: comments do not make a packet that cannot be read.
func TestLongComments(t *testing.T) {
	var out bytes.Buffer
	w, err := NewWriter(&out, WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	p := Packet{Link: 1, Data: frame(1, 60), WireLen: 60}
	if err := w.Packet(&p, strings.Repeat("é", 100_000), "lost"); err != nil {
		t.Fatal(err)
	}
	p.Data = nil
	if err := w.Packet(&p, slices.Repeat([]string{"x"}, 100_000)...); err != nil {
		t.Fatal(err)
	}
	r, err := NewReader(bytes.NewReader(out.Bytes()), "x")
	if err != nil {
		t.Fatal(err)
	}
	list, err := readAll(r)
	if err != io.EOF || len(list) != 2 {
		t.Fatal(len(list), err)
	}
	one, _ := r.Comments(list[0].Pos)
	two, _ := r.Comments(list[1].Pos)
	if len(one) != 1 || !strings.HasSuffix(one[0], "éé…") || len(two) < 1000 {
		t.Errorf("%d comments, %d comments", len(one), len(two))
	}
}

type full struct{ n int }

func (f *full) Write(p []byte) (int, error) {
	if f.n -= len(p); f.n < 0 {
		return 0, errors.New("disk full")
	}
	return len(p), nil
}

// TestWriterError: the first error of the file stays.
func TestWriterError(t *testing.T) {
	w, err := NewWriter(&full{100}, WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := w.Packet(&Packet{Data: frame(1, 60)}); err == nil || err.Error() != "disk full" {
			t.Error(err)
		}
	}
}
