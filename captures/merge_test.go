package captures

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// timed makes a pcap file with nanoseconds: times in milliseconds and frames.
func timed(packets ...any) []byte {
	b := pcapHead(le, pcapNano, 0)
	for i := 0; i < len(packets); i += 2 {
		ms := uint32(packets[i].(int))
		b = append(b, pcapRecord(le, ms/1000, ms%1000*1e6, packets[i+1].([]byte))...)
	}
	return b
}

func merge(t *testing.T, files ...[]byte) *Merged {
	t.Helper()
	var readers []*Reader
	for i, f := range files {
		r, err := NewReader(bytes.NewReader(f), string(rune('a'+i)))
		if err != nil {
			t.Fatal(err)
		}
		readers = append(readers, r)
	}
	m, err := Merge(readers...)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// sequence reads m to its end: "a3" is the third packet of file a.
func sequence(t *testing.T, m *Merged) (string, error) {
	t.Helper()
	var list []string
	var p, q Packet
	for {
		if err := m.Next(&p); err != nil {
			return strings.Join(list, " "), err
		}
		if p.Number != len(list)+1 {
			t.Errorf("number %d after %d packets", p.Number, len(list))
		}
		if err := m.At(p.Pos, &q); err != nil || !samePacket(p, q) || q.File != p.File || q.Pos != p.Pos {
			t.Errorf("packet %d again: %+v, %v", p.Number, q, err)
		}
		list = append(list, string(rune('a'+p.File))+string(rune('0'+p.Data[0])))
	}
}

func TestMerge(t *testing.T) {
	f := func(n int) []byte { return frame(n, 60) }
	for _, c := range []struct {
		name  string
		files [][]byte
		want  string
	}{
		{"by time, the first file first", [][]byte{timed(10, f(1), 30, f(2)), timed(10, f(3), 20, f(4))}, "a1 b3 b4 a2"},
		{"the order within a file stays", [][]byte{timed(30, f(1), 10, f(2)), timed(20, f(3))}, "b3 a1 a2"},
		{"the same frame in both", [][]byte{timed(10, f(1), 20, f(2)), timed(15, f(1), 25, f(2), 26, f(3))}, "a1 a2 b3"},
		{"twice in one file", [][]byte{timed(10, f(1), 20, f(1)), timed(11, f(1))}, "a1 a1"},
		{"twice in both", [][]byte{timed(10, f(1), 20, f(1)), timed(11, f(1), 21, f(1))}, "a1 a1"},
		{"just within a second", [][]byte{timed(10, f(1)), timed(1010, f(1))}, "a1"},
		{"more than a second apart", [][]byte{timed(10, f(1)), timed(1011, f(1))}, "a1 b1"},
		{"in three files", [][]byte{timed(10, f(1)), timed(20, f(1)), timed(5, f(1))}, "c1"},
		{"a file without packets", [][]byte{timed(), timed(20, f(1))}, "b1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := merge(t, c.files...)
			if got, err := sequence(t, m); got != c.want || err != io.EOF {
				t.Errorf("got %q, want %q; %v", got, c.want, err)
			}
			if err := m.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestMergeEnds: damage of one file does not keep another from being read.
func TestMergeEnds(t *testing.T) {
	good := timed(10, frame(1, 60), 30, frame(2, 60))
	cut := good[:len(good)-3]
	bad := append(bytes.Clone(cut), 0xff)
	copy(bad[len(bad)-68:], "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff")
	m := merge(t, cut, timed(40, frame(3, 60)))
	if got, err := sequence(t, m); got != "a1 b3" || !errors.Is(err, ErrCut) {
		t.Errorf("got %q, %v", got, err)
	}
	m = merge(t, cut, bad, timed(40, frame(3, 60)))
	if got, err := sequence(t, m); got != "a1 c3" || !errors.Is(err, ErrDamaged) || errors.Is(err, ErrCut) {
		t.Errorf("got %q, %v", got, err)
	}
}

// TestMergeBlocks merges files of many blocks and keeps as many batches as a
// pipeline may.
func TestMergeBlocks(t *testing.T) {
	const packets = 30_000
	var even, odd []any
	for i := range packets {
		f := frame(i, 300)
		copy(f, u32s(le, nil, uint32(i)))
		if i%2 == 0 {
			even = append(even, i, f)
		} else {
			odd = append(odd, i, f)
		}
		if i%5 == 0 { // both files have some
			if i%2 == 0 {
				odd = append(odd, i, f)
			} else {
				even = append(even, i, f)
			}
		}
	}
	m := merge(t, timed(even...), timed(odd...))
	held := make([]Batch, 3)
	n := uint32(0)
	for i := 0; ; i++ {
		b := &held[i%3]
		b.Release()
		if err := m.ReadBatch(b); err != nil {
			if err != io.EOF {
				t.Error(err)
			}
			break
		}
		for _, p := range b.Packets {
			if got := le.Uint32(p.Data); got != n {
				t.Fatalf("packet %d, want %d", got, n)
			}
			n++
		}
	}
	if n != packets {
		t.Errorf("%d packets", n)
	}
}

// TestClocks merges two captures of the same frames with different clocks.
func TestClocks(t *testing.T) {
	file := func(n int, time func(i int) int, length int) []byte {
		var list []any
		for i := range n {
			f := frame(i, length)
			copy(f, u32s(le, nil, uint32(i)))
			list = append(list, time(i), f)
		}
		return timed(list...)
	}
	second := func(i int) int { return 10_000_000 + i*1000 }
	a := file(100, second, 120)
	for _, c := range []struct {
		name string
		b    []byte
		want string
	}{
		{"the same", a, ""},
		{"a little apart", file(100, func(i int) int { return second(i) + 700 + i }, 120), ""},
		{"an hour", file(100, func(i int) int { return second(i) + 3600_000 }, 120),
			"b: the frames it shares with a are 3600.000000 s later here; correct its clock: editcap -t -3600.000000 b b.pcapng"},
		{"two seconds back", file(100, func(i int) int { return second(i) - 2000 }, 120),
			"b: the frames it shares with a are 2.000000 s earlier here; correct its clock: editcap -t 2.000000 b b.pcapng"},
		{"drift", file(100, func(i int) int { return second(i) + 2000 + i*200 }, 120),
			"b: the frames it shares with a are 2.000000 s later to 5.000000 s later here: the clocks drift apart, so the files have no common timeline"},
		{"short frames tell nothing", file(100, func(i int) int { return second(i) + 2000 }, 60), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := merge(t, a, c.b)
			_, err := sequence(t, m)
			if c.want == "" && err == io.EOF {
				return
			}
			if !errors.Is(err, ErrClocks) || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
			if again := m.Next(&Packet{}); again != err {
				t.Error(again)
			}
		})
	}
	// OpenFiles tells at once.
	dir := t.TempDir()
	paths := []string{filepath.Join(dir, "a"), filepath.Join(dir, "b")}
	for i, b := range [][]byte{a, file(100, func(i int) int { return second(i) + 3600_000 }, 120)} {
		if err := os.WriteFile(paths[i], b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := OpenFiles(paths, Options{}); !errors.Is(err, ErrClocks) {
		t.Error(err)
	}
	// The sample of a long capture stays small, and finds it too.
	long := file(100_000, second, 120)
	m := merge(t, long, file(100_000, func(i int) int { return second(i) + 500_000_000 }, 120))
	if _, err := sequence(t, m); !errors.Is(err, ErrClocks) {
		t.Error(err)
	}
	if n := len(m.clocks.seen); n > maxSample {
		t.Errorf("%d frames in the sample", n)
	}
}
