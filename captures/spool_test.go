package captures

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// TestSpool reads packets of a stream again while it still runs.
func TestSpool(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	const packets = 20_000
	file := pcapHead(le, pcapMicro, 0)
	for i := range packets {
		file = append(file, pcapRecord(le, uint32(i), 0, frame(i, 200+i%100))...)
	}
	r, err := newReader(stream{bytes.NewReader(file)}, "x", Options{Random: true})
	if err != nil {
		t.Fatal(err)
	}
	var places []int64
	var mu sync.Mutex
	done := make(chan error)
	go func() {
		rng := rand.New(rand.NewPCG(1, 2))
		for range 3000 {
			mu.Lock()
			i := rng.IntN(len(places) + 1)
			var pos int64
			if i < len(places) {
				pos = places[i]
			}
			mu.Unlock()
			if pos == 0 {
				continue
			}
			var p Packet
			if err := r.At(pos, &p); err != nil || !bytes.Equal(p.Data, frame(i, 200+i%100)) {
				done <- errors.Join(errors.New("wrong packet"), err)
				return
			}
		}
		done <- nil
	}()
	var p Packet
	for {
		if err := r.Next(&p); err != nil {
			if err != io.EOF {
				t.Error(err)
			}
			break
		}
		mu.Lock()
		places = append(places, p.Pos)
		mu.Unlock()
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	if in := r.Info().Spool; in != filepath.Join(dir, "odxray") {
		t.Errorf("it is said to lie in %q", in)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "odxray", "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestSpoolLimit fills a spool. What came before can still be read.
func TestSpoolLimit(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	rng := rand.New(rand.NewPCG(1, 2))
	file := pcapHead(le, pcapMicro, 0)
	for range 6000 { // what does not compress
		b := make([]byte, 1000)
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		file = append(file, pcapRecord(le, 1, 1, b)...)
	}
	r, err := newReader(stream{bytes.NewReader(file)}, "x", Options{Random: true, Spool: 3 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	list, err := readAll(r)
	if err != io.EOF || len(list) != 6000 {
		t.Fatal(len(list), err)
	}
	var q Packet
	if err := r.At(list[0].Pos, &q); err != nil || !samePacket(q, list[0]) {
		t.Error(err)
	}
	if err := r.At(list[5999].Pos, &q); !errors.Is(err, ErrSpoolFull) {
		t.Error(err)
	}
	// A stream that nothing keeps.
	r, err = NewReader(stream{bytes.NewReader(file)}, "x")
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Next(&q); err != nil {
		t.Fatal(err)
	}
	if err := r.At(q.Pos, &q); !errors.Is(err, ErrNoRandom) {
		t.Error(err)
	}
}

// TestFrozen reads packets of the first section again while the walk is in a
// later one.
func TestFrozen(t *testing.T) {
	part := func(o order, link uint16) []byte {
		b := append(ngHead(o), ngIface(o, link, 0)...)
		for i := range 2000 {
			b = append(b, ngPacketBlock(o, 0, uint64(i), frame(i, 500))...)
		}
		return b
	}
	r, err := NewReader(bytes.NewReader(append(part(le, 1), part(be, 101)...)), "x")
	if err != nil {
		t.Fatal(err)
	}
	var first, p Packet
	if err := r.Next(&first); err != nil {
		t.Fatal(err)
	}
	pos, link := first.Pos, first.Link
	done := make(chan error)
	go func() {
		var q Packet
		for range 2000 {
			if err := r.At(pos, &q); err != nil || q.Link != link || len(r.Info().Interfaces) == 0 {
				done <- errors.Join(errors.New("wrong packet"), err)
				return
			}
		}
		done <- nil
	}()
	for err == nil {
		err = r.Next(&p)
	}
	if err != io.EOF || p.Number != 4000 || p.Link == link || p.Interface != 1 {
		t.Errorf("%+v, %v", p, err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}
