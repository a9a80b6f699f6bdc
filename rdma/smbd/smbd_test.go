package smbd

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/dissect/wire/wiretest"
)

// transfer makes a data transfer: credits 255 and 3, no flags.
func transfer(remaining, offset, length uint32, data string) []byte {
	b := []byte{255, 0, 3, 0, 0, 0, 0, 0}
	for _, v := range []uint32{remaining, offset, length, 0} {
		b = append(b, byte(v), byte(v>>8), byte(v>>16), byte(v>>24))
	}
	return append(b, data...)
}

var samples = []struct {
	name string
	kind Kind
	b    []byte
}{
	{"negotiate_request", NegotiateRequest, wiretest.Unhex("0001 0001 0000 ff00 54050000 54050000 56a70200")},
	{"negotiate_response", NegotiateResponse, wiretest.Unhex("0001 0001 0001 0000 ff00 fe00 00000000 00008000 54050000 54050000 56a70200")},
	{"data", DataTransfer, transfer(0, 24, 6, "\xfeSMB@\x00")},
	{"empty", DataTransfer, transfer(0, 0, 0, "")[:headerLen]},
	{"keep_alive", DataTransfer, append([]byte{255, 255, 255, 255, 1, 0, 0, 0}, make([]byte, 12)...)},
	{"padded", DataTransfer, transfer(0, 32, 6, "paddings\xfeSMB@\x00")},
}

func TestGolden(t *testing.T) {
	for _, s := range samples {
		var m Message
		var tree wire.Tree
		c := wire.New(s.b, &tree)
		if m.Decode(&c, s.kind); c.Err() != nil {
			t.Errorf("%s: %v", s.name, c.Err())
		}
		if data := string(m.Bytes()); m.DataLength > 0 && data != "\xfeSMB@\x00" {
			t.Errorf("%s: data %q", s.name, data)
		}
		var got bytes.Buffer
		tree.Dump(&got)
		wiretest.Golden(t, s.name, got.Bytes())
	}
}

func TestRecognise(t *testing.T) {
	for _, s := range samples {
		want := s.kind
		if s.name == "empty" || s.name == "keep_alive" {
			want = Unknown // nothing in them tells
		}
		if got := Recognise(s.b); got != want {
			t.Errorf("%s: %v", s.name, got)
		}
	}
}

func TestPrefixes(t *testing.T) {
	for _, s := range samples {
		var m Message
		for i := range s.b {
			c := wire.New(s.b[:i], nil)
			if m.Decode(&c, s.kind); !errors.Is(c.Err(), wire.ErrShort) {
				t.Errorf("%s: %d of %d bytes: %v", s.name, i, len(s.b), c.Err())
			}
			c = wire.NewCut(s.b[:i], len(s.b), nil)
			if m.Decode(&c, s.kind); i < headerLen && !errors.Is(c.Err(), wire.ErrTruncated) {
				t.Errorf("%s: cut after %d of %d bytes: %v", s.name, i, len(s.b), c.Err())
			}
		}
	}
}

// feed gives an assembler messages, each brought by a frame of its own.
func feed(a *Assembler, list ...[]byte) (whole []Whole, problems []Problem) {
	for i, b := range list {
		var m Message
		c := wire.New(b, nil)
		m.Decode(&c, DataTransfer)
		w, ok, p := a.Add(&m, []uint32{uint32(i + 1)})
		if ok {
			w.Bytes, w.Frames = bytes.Clone(w.Bytes), slices.Clone(w.Frames)
			whole = append(whole, w)
		}
		problems = append(problems, p)
	}
	return whole, problems
}

// TestFragments is the example of the SMB Direct slides: 2048 bytes for a receiver that
// takes 1024, header included.
func TestFragments(t *testing.T) {
	message := "\xfeSMB" + strings.Repeat("2 KB", 511)
	a := new(Assembler)
	whole, problems := feed(a,
		transfer(1048, 24, 1000, message[:1000]),
		transfer(0, 0, 0, ""), // a grant of credits in between
		transfer(48, 24, 1000, message[1000:2000]),
		transfer(0, 24, 48, message[2000:]),
		transfer(0, 24, 4, "\xfeSMB"))
	if len(whole) != 2 || string(whole[0].Bytes) != message || whole[0].Size != 2048 || !slices.Equal(whole[0].Frames, []uint32{1, 3, 4}) {
		t.Errorf("%+v", whole)
	}
	if slices.Max(problems) != Sound {
		t.Errorf("problems %v", problems)
	}
}

// TestLostFragment: what is left of a message is not glued to the next.
func TestLostFragment(t *testing.T) {
	a := new(Assembler)
	whole, problems := feed(a,
		transfer(8, 24, 4, "\xfeSMB"),
		transfer(0, 24, 4, "tail"), // 4 bytes before it are missing
		transfer(4, 24, 4, "rest"),
		transfer(0, 24, 6, "\xfeSMBok"))
	if len(whole) != 1 || string(whole[0].Bytes) != "\xfeSMBok" {
		t.Errorf("%+v", whole)
	}
	if want := []Problem{Sound, NotNext, Unstarted, Sound}; !slices.Equal(problems, want) {
		t.Errorf("problems %v, want %v", problems, want)
	}
}

func TestAllocs(t *testing.T) {
	var m Message
	var a Assembler
	frames := []uint32{1}
	if n := testing.AllocsPerRun(100, func() {
		for _, s := range samples {
			c := wire.New(s.b, nil)
			m.Decode(&c, s.kind)
			a.Add(&m, frames)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestNames(t *testing.T) {
	wiretest.Names(t, Fields(), func(string) bool { return false })
}

func FuzzAssembler(f *testing.F) {
	for _, s := range samples {
		f.Add(s.b, uint16(20))
	}
	f.Fuzz(func(t *testing.T, b []byte, size uint16) {
		var a Assembler
		given, got := 0, 0
		for n := int(size) + 1; len(b) > 0; b = b[min(n, len(b)):] {
			part := b[:min(n, len(b))]
			var tree wire.Tree
			var m Message
			c := wire.New(part, &tree)
			if m.Decode(&c, DataTransfer); c.Failed() {
				continue
			}
			given += int(m.DataLength)
			if w, ok, _ := a.Add(&m, nil); ok {
				if got += w.Size; len(w.Bytes) != w.Size {
					t.Errorf("%d bytes of %d", len(w.Bytes), w.Size)
				}
			}
		}
		if got > given {
			t.Errorf("%d bytes out of %d", got, given)
		}
	})
}
