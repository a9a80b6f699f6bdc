package captures

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"slices"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// allocated returns how many bytes f allocates.
func allocated(f func()) uint64 {
	var a, b runtime.MemStats
	runtime.ReadMemStats(&a)
	f()
	runtime.ReadMemStats(&b)
	return b.TotalAlloc - a.TotalAlloc
}

// ringBytes is what the blocks of one reader take, with what their lists of
// packets can grow to.
const ringBytes = ringSize * blockBytes

// TestHostile reads files whose numbers claim much. They cost the ring, whatever
// they claim.
func TestHostile(t *testing.T) {
	long := func(head []byte, record []byte) []byte { return append(head, record...) }
	for _, c := range []struct {
		name string
		file []byte
		err  error
	}{
		{"snaplen of 2 GiB", append(pcapHead(le, pcapMicro, 1<<31-1), pcapRecord(le, 1, 1, frame(1, 60))...), io.EOF},
		{"snaplen of 4 GiB in pcapng", append(append(ngHead(le), ngIface(le, 1, 1<<32-1)...), ngPacketBlock(le, 0, 1, frame(1, 60))...), io.EOF},
		{"pcap record of 4 GiB", long(pcapHead(le, pcapMicro, 0), u32s(le, nil, 0, 0, 1<<32-1, 1<<32-1)), ErrDamaged},
		{"pcap record of 256 KiB that is not there", long(pcapHead(le, pcapMicro, 0), u32s(le, nil, 0, 0, maxPacket, maxPacket)), ErrCut},
		{"snoop record of 4 GiB", long(snoopHead(), u32s(be, nil, 1<<32-1, 1<<32-1, 1<<32-1, 0, 0, 0)), ErrDamaged},
		{"snoop record of 0 bytes", long(snoopHead(), make([]byte, 24)), ErrDamaged},
		{"section of 4 GiB", u32s(le, nil, ngSection, 0xfffffffc, ngMagic, 1, 0, 0, 0), ErrDamaged},
		{"interface of 4 GiB", append(ngHead(le), u32s(le, nil, ngInterface, 0xfffffffc, 1, 0, 0, 0)...), ErrDamaged},
		{"block of 0 bytes", append(ngHead(le), make([]byte, 100)...), ErrDamaged},
		{"skipped block of 4 GiB", append(ngHead(le), u32s(le, nil, 99, 0xfffffffc, 0, 0, 0, 0)...), ErrCut},
		{"ERF record of 0 bytes", append(samples()[len(samples())-1].file, make([]byte, 16)...), ErrDamaged},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := allocated(func() {
				r, err := NewReader(stream{bytes.NewReader(c.file)}, "x")
				if err == nil {
					_, err = readAll(r)
				}
				if !errors.Is(err, c.err) {
					t.Errorf("got %v, want %v", err, c.err)
				}
			})
			if n > ringBytes+64<<10 {
				t.Errorf("%d bytes allocated", n)
			}
		})
	}
}

// endless repeats b.
type endless struct {
	b []byte
	n int
}

func (e *endless) Read(p []byte) (int, error) {
	m := 0
	for m < len(p) {
		k := copy(p[m:], e.b[e.n:])
		m += k
		e.n = (e.n + k) % len(e.b)
	}
	return m, nil
}

// TestHostileTables reads files without packets that describe interfaces,
// sections and comments for ever. What is kept of them has a bound.
func TestHostileTables(t *testing.T) {
	text := ngOption(le, 1, bytes.Repeat([]byte("x"), 60000))
	for name, repeat := range map[string][]byte{
		"interfaces": ngIface(le, 1, 0, text),
		"sections":   ngHead(le, text),
	} {
		var err error
		n := allocated(func() {
			var r *Reader
			r, err = NewReader(stream{io.MultiReader(bytes.NewReader(ngHead(le)), &endless{b: repeat})}, name)
			if err == nil {
				_, err = readAll(r)
			}
		})
		if !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
		if n > 32<<20 {
			t.Errorf("%s: %d bytes allocated", name, n)
		}
	}
}

// TestBombs reads compressed files that hold 256 MiB in little. Only the window of
// the compression is held.
func TestBombs(t *testing.T) {
	if testing.Short() {
		t.Skip("unpacks 256 MiB twice")
	}
	const size = 256 << 20
	packets := bytes.Repeat(pcapRecord(le, 1, 1, make([]byte, 64<<10)), 16)
	write := func(w io.WriteCloser) {
		w.Write(pcapHead(le, pcapMicro, 0))
		for n := 0; n < size; n += len(packets) {
			w.Write(packets)
		}
		w.Close()
	}
	var gz, zst bytes.Buffer
	write(gzip.NewWriter(&gz))
	zw, _ := zstd.NewWriter(&zst)
	write(zw)
	for name, file := range map[string]*bytes.Buffer{"gzip": &gz, "zstd": &zst} {
		small := file.Len()
		n := allocated(func() {
			r, err := NewReader(file, name)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			var p Packet
			for err == nil {
				err = r.Next(&p)
			}
			if err != io.EOF || p.Number < size/(64<<10+16) {
				t.Errorf("%s: packet %d, %v", name, p.Number, err)
			}
		})
		if n > 48<<20 {
			t.Errorf("%s: %d bytes allocated for a file of %d", name, n, small)
		}
	}
}

// TestNoAllocation reads packets without allocating.
func TestNoAllocation(t *testing.T) {
	for _, s := range samples() {
		head := s.file[:0:0]
		var record []byte
		switch {
		case s.name == "snoop":
			head, record = snoopHead(), snoopRecord(1, 1, frame(1, 1000))
		case s.name == "ERF":
			record = s.file[:80]
		case bytes.HasPrefix(s.file, []byte{0x0a, 0x0d, 0x0d, 0x0a}):
			head, record = append(ngHead(le), ngIface(le, 1, 0)...), ngPacketBlock(le, 0, 1, frame(1, 1000))
		default:
			head, record = pcapHead(le, pcapMicro, 0), pcapRecord(le, 1, 1, frame(1, 1000))
		}
		r, err := NewReader(stream{io.MultiReader(bytes.NewReader(head), &endless{b: record})}, s.name)
		if err != nil {
			t.Fatal(s.name, err)
		}
		var p Packet
		var b Batch
		next := func() { err = r.Next(&p) }
		batch := func() { err = r.ReadBatch(&b); b.Release() }
		for range 8 {
			batch() // the lists of packets grow
		}
		if n := testing.AllocsPerRun(5000, next); n != 0 || err != nil {
			t.Errorf("%s: Next allocates %v, %v", s.name, n, err)
		}
		if n := testing.AllocsPerRun(100, batch); n != 0 || err != nil {
			t.Errorf("%s: ReadBatch allocates %v, %v", s.name, n, err)
		}
	}
}

// FuzzReader reads any bytes as a file: it neither panics nor hangs, and what At
// reads again is what was read.
func FuzzReader(f *testing.F) {
	for _, s := range samples() {
		f.Add(s.file)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		r, err := NewReader(bytes.NewReader(file), "fuzz")
		if err != nil {
			return
		}
		r.Info()
		list, err := readAll(r)
		if err == nil || len(list) > len(file) {
			t.Fatal(len(list), err)
		}
		again, err := NewReader(bytes.NewReader(file), "fuzz")
		if err != nil {
			t.Fatal(err)
		}
		if many, _ := readBatches(again); !slices.EqualFunc(many, list, sameRead) {
			t.Fatalf("%d packets in batches, %d one by one", len(many), len(list))
		}
		for _, p := range list {
			var q Packet
			if err := r.At(p.Pos, &q); err != nil || !samePacket(p, q) {
				t.Fatalf("packet %d again: %v", p.Number, err)
			}
			if _, err := r.Comments(p.Pos); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// BenchmarkRead reads 64 MiB of packets of 1000 bytes.
func BenchmarkRead(b *testing.B) {
	file := pcapHead(le, pcapMicro, 0)
	record := pcapRecord(le, 1, 1, frame(1, 1000))
	for len(file) < 64<<20 {
		file = append(file, record...)
	}
	for _, how := range []string{"Next", "ReadBatch"} {
		b.Run(how, func(b *testing.B) {
			b.SetBytes(int64(len(file)))
			b.ReportAllocs()
			for b.Loop() {
				r, err := NewReader(bytes.NewReader(file), "x")
				if err != nil {
					b.Fatal(err)
				}
				var p Packet
				var t Batch
				for err == nil {
					if how == "Next" {
						err = r.Next(&p)
					} else {
						err = r.ReadBatch(&t)
						t.Release()
					}
				}
			}
		})
	}
}

// BenchmarkMerge reads two files with the same frames.
func BenchmarkMerge(b *testing.B) {
	file := pcapHead(le, pcapNano, 0)
	for i := range 64_000 {
		f := frame(i, 1000)
		copy(f, u32s(le, nil, uint32(i)))
		file = append(file, pcapRecord(le, uint32(i/10_000), uint32(i%10_000*100_000), f)...)
	}
	b.SetBytes(2 * int64(len(file)))
	b.ReportAllocs()
	for b.Loop() {
		var readers []*Reader
		for range 2 {
			r, err := NewReader(bytes.NewReader(file), "x")
			if err != nil {
				b.Fatal(err)
			}
			readers = append(readers, r)
		}
		m, err := Merge(readers...)
		if err != nil {
			b.Fatal(err)
		}
		var t Batch
		for err == nil {
			err = m.ReadBatch(&t)
			t.Release()
		}
		if err != io.EOF || m.number != 64_000 {
			b.Fatal(m.number, err)
		}
	}
}
