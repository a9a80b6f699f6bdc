package iwarp

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/odxray/odxray/dissect/wire"
)

// stream is one direction of a connection: its start-up frame, and segments after it.
type stream struct {
	b      []byte
	origin int   // where the first FPDU begins
	begins []int // where FPDUs do
	marked bool
	crc    bool
}

func newStream(marked, crc bool) *stream {
	s := &stream{b: startup(requestKey, 0x40, 1, "hi"), marked: marked, crc: crc}
	s.origin = len(s.b)
	return s
}

// add adds a segment as an FPDU, with markers if there have to be. RFC 5044 4.3
func (s *stream) add(segment []byte) {
	s.begins = append(s.begins, len(s.b))
	start := len(s.b)
	put := func(b byte) {
		if at := len(s.b) - s.origin; s.marked && at%512 == 0 {
			s.b = append(s.b, numbers(2, 0, 2, uint64(len(s.b)-start))...)
		}
		s.b = append(s.b, b)
	}
	plain := fpdu(segment, false)
	for _, x := range plain[:len(plain)-4] {
		put(x)
	}
	var sum [4]byte
	if s.marked && (len(s.b)-s.origin)%512 == 0 { // covered, too
		s.b = append(s.b, numbers(2, 0, 2, uint64(len(s.b)-start))...)
	}
	if s.crc {
		binary.LittleEndian.PutUint32(sum[:], crc32.Checksum(s.b[start:], crc32.MakeTable(crc32.Castagnoli)))
	}
	s.b = append(s.b, sum[:]...)
}

// work fills a stream with messages, writes and answers to reads.
func (s *stream) work(n int) *stream {
	r := rand.New(rand.NewPCG(7, uint64(n)))
	for i := range n {
		body := make([]byte, r.IntN(3000))
		for k := range body {
			body[k] = byte(r.Uint32())
		}
		switch r.IntN(3) {
		case 0:
			s.add(untagged(Send, 0, 0, uint32(i+1), 0, body))
		case 1:
			s.add(tagged(Write, 0x1234, uint64(i)<<16, r.IntN(2) == 0, body))
		default:
			s.add(tagged(ReadResponse, 0x99, uint64(i)<<16, true, body))
		}
	}
	return s
}

// framed lists the units that a Framer finds, fed by cuts; starting tells if it knows that
// the stream begins.
func (s *stream) framed(f *Framer, from int, cuts func() int) (list []string) {
	for at := from; at < len(s.b); {
		n := min(max(cuts(), 1), len(s.b)-at)
		f.Push(s.b[at:at+n], 0, uint64(at), uint32(at))
		for u := f.Next(); u != nil; u = f.Next() {
			list = append(list, show(u))
			if u.Startup {
				f.Mark(s.marked)
				f.Checks = ChecksUsed
				if !s.crc {
					f.Checks = ChecksUnused
				}
			}
		}
		at += n
	}
	return list
}

func show(u *Unit) string {
	var s Segment
	c := wire.NewCut(u.Bytes, u.Len, nil)
	if !u.Startup {
		u.Decode(&s, &c, nil)
	}
	return fmt.Sprintf("%d+%d %v %v %08x %x %v %08x", u.Off, u.Size, u.Startup, s.Opcode, s.STag, s.Offset, u.CRC, crc32.ChecksumIEEE(u.Bytes))
}

// TestDataAlone: the short way to decode FPDUs of data gives what the long one does.
func TestDataAlone(t *testing.T) {
	for _, s := range samples {
		if s.info == "" {
			continue
		}
		var tree wire.Tree
		var long, short Segment
		u := Unit{Bytes: s.b, Len: len(s.b), Raw: s.b, Size: len(s.b)}
		c := wire.New(s.b, &tree)
		u.Decode(&long, &c, nil)
		if got := u.data(&short); got != long.Tagged {
			t.Errorf("%s: %v", s.name, got)
		}
		x, n := long.Body()
		y, m := short.Body()
		long.Payload, short.Payload = wire.Cursor{}, wire.Cursor{}
		if long.Tagged && (fmt.Sprint(long) != fmt.Sprint(short) || n != m || !bytes.Equal(x, y)) {
			t.Errorf("%s: %+v, want %+v", s.name, short, long)
		}
	}
}

// TestSplit: however TCP cuts a stream into segments, the same units come out of it.
func TestSplit(t *testing.T) {
	for _, marked := range []bool{false, true} {
		s := newStream(marked, true).work(40)
		var f Framer
		f.Expect(Key{}, 0, 0, 0)
		want := s.framed(&f, 0, func() int { return len(s.b) })
		if len(want) != 41 {
			t.Fatalf("%d units", len(want))
		}
		for _, u := range want[1:] {
			if !bytes.Contains([]byte(u), []byte(" Good ")) {
				t.Errorf("marked %v: %s", marked, u)
			}
		}
		for seed := range uint64(30) {
			r := rand.New(rand.NewPCG(seed, 1))
			most := 1 + r.IntN(1+int(seed)*300)
			f.Expect(Key{}, 0, 0, 0)
			if got := s.framed(&f, 0, func() int { return 1 + r.IntN(most) }); !slices.Equal(got, want) {
				t.Errorf("marked %v, seed %d: %d units", marked, seed, len(got))
			}
		}
	}
}

// TestMidway: from wherever a capture begins, all units come out from the next on that a
// Framer can be sure of, and none that is not there.
func TestMidway(t *testing.T) {
	for _, crc := range []bool{false, true} {
		s := newStream(false, crc).work(60)
		var f Framer
		f.Expect(Key{}, 0, 0, 0)
		all := s.framed(&f, 0, func() int { return len(s.b) })
		r := rand.New(rand.NewPCG(3, 3))
		for range 200 {
			from := s.origin + r.IntN(len(s.b)-s.origin)
			first := len(s.begins) - len(slices.DeleteFunc(slices.Clone(s.begins), func(b int) bool { return b < from }))
			f = Framer{}
			if !crc {
				f.Checks = ChecksUnused
			} else {
				f.Checks = ChecksUsed
			}
			got := s.framed(&f, from, func() int { return 1448 })
			for _, u := range got {
				if !slices.Contains(all, u) {
					t.Fatalf("from %d: invented %s", from, u)
				}
			}
			most := 6
			if !crc {
				most = 12 // without a checksum, headers of tagged segments alone tell too little
			}
			if missed := len(all) - 1 - first - len(got); missed > most {
				t.Errorf("crc %v, from %d: %d of %d units are missing", crc, from, missed, len(all)-1-first)
			}
		}
	}
}

// TestHole: after bytes are lost, what follows is found, and nothing is invented.
func TestHole(t *testing.T) {
	for _, marked := range []bool{false, true} {
		s := newStream(marked, true).work(60)
		var f Framer
		f.Expect(Key{}, 0, 0, 0)
		all := s.framed(&f, 0, func() int { return len(s.b) })
		r := rand.New(rand.NewPCG(5, 5))
		for range 200 {
			at, n := s.origin+r.IntN(len(s.b)-s.origin-5000), 1+r.IntN(4000)
			f.Expect(Key{}, 0, 0, 0)
			head := &stream{b: s.b[:at], marked: marked, crc: true}
			got := head.framed(&f, 0, func() int { return 1448 })
			f.Skip(uint64(n))
			before := len(got)
			got = append(got, s.framed(&f, at+n, func() int { return 1448 })...)
			lost := 0
			for _, u := range got {
				if !slices.Contains(all, u) {
					t.Fatalf("marked %v: a hole of %d at %d invented %s", marked, n, at, u)
				}
			}
			if lost = len(all) - len(got); lost > 8 {
				t.Errorf("marked %v: a hole of %d at %d, after unit %d, lost %d units", marked, n, at, before, lost)
			}
		}
	}
}

// TestCut: what the snap length cut is found by its header, in step and out of it.
func TestCut(t *testing.T) {
	s := newStream(false, false)
	for i := range 20 {
		s.add(untagged(Send, 0, 0, uint32(i+1), 0, make([]byte, 100)))
		s.add(tagged(Write, 0x1234, uint64(i)<<16, true, make([]byte, 700)))
	}
	var f Framer
	f.Expect(Key{}, 0, 0, 0)
	f.Push(s.b[:s.origin], 0, 0, 1)
	f.Next()
	n := 0
	for i, at := range s.begins {
		end := len(s.b)
		if i+1 < len(s.begins) {
			end = s.begins[i+1]
		}
		kept := min(end-at, 64)
		f.Push(s.b[at:at+kept], end-at-kept, uint64(at), uint32(i))
		for u := f.Next(); u != nil; u = f.Next() {
			if u.Size != end-at || u.CRC != CRCUnknown || len(u.Bytes) != kept || u.Gap {
				t.Errorf("%+v", u)
			}
			n++
		}
	}
	if n != len(s.begins) {
		t.Errorf("%d of %d units", n, len(s.begins))
	}
}

// TestForeign: what is no iWARP is not taken for it.
func TestForeign(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	for range 2000 {
		b := make([]byte, 20+r.IntN(1400))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		if Recognise(b, 0) {
			t.Errorf("%x", b[:20])
		}
	}
	s := newStream(false, true).work(1)
	if b := s.b[s.origin:]; !Recognise(b, 0) {
		t.Errorf("%x", b[:20])
	}
}

// TestKey: the key of a start-up frame may come in pieces.
func TestKey(t *testing.T) {
	for _, key := range []string{requestKey, replyKey} {
		for i := 1; i < len(key); i++ {
			var k Key
			if fits, whole := k.Add([]byte(key[:i])); !fits || whole || k.Len() != i {
				t.Errorf("%q: %v %v", key[:i], fits, whole)
			}
			if fits, whole := k.Add([]byte(key[i:] + "more")); !fits || !whole || k.bytes(keyLen) != key {
				t.Errorf("%q: %v %v", key[i:], fits, whole)
			}
		}
	}
	var k Key
	if fits, _ := k.Add([]byte("MPA ID Rex")); fits {
		t.Error("MPA ID Rex")
	}
}

// TestHostile: many places that look like an FPDU cost no more than their share.
func TestHostile(t *testing.T) {
	var f Framer
	b := bytes.Repeat([]byte{0xc1, 0x40}, 700)
	for i := range 3000 {
		f.Push(b, 0, uint64(i*len(b)), uint32(i))
		for u := f.Next(); u != nil; u = f.Next() {
		}
		if f.Held() > 4*maxUnit {
			t.Fatalf("holds %d bytes", f.Held())
		}
	}
}

// TestAllocs: FPDUs cost no allocation, also across segments.
func TestAllocs(t *testing.T) {
	s := newStream(true, true).work(40)
	var f Framer
	var seg Segment
	if n := testing.AllocsPerRun(20, func() {
		f.Expect(Key{}, 0, 0, 0)
		for at := 0; at < len(s.b); at += 1448 {
			f.Push(s.b[at:min(at+1448, len(s.b))], 0, uint64(at), 1)
			for u := f.Next(); u != nil; u = f.Next() {
				if f.Mark(true); !u.Startup {
					c := wire.NewCut(u.Bytes, u.Len, nil)
					u.Decode(&seg, &c, nil)
				}
			}
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzFramer cuts streams of anything into segments: no panic, units lie one behind the
// other and within what was pushed, and cutting otherwise finds the same from the start.
func FuzzFramer(f *testing.F) {
	for _, marked := range []bool{false, true} {
		s := newStream(marked, true)
		s.add(untagged(Send, 0, 0, 1, 0, []byte("hello")))
		s.add(tagged(Write, 0x1234, 1<<16, true, make([]byte, 700)))
		f.Add(s.b, uint16(100), uint16(300), uint16(50), true, marked)
		f.Add(s.b[s.origin+7:], uint16(100), uint16(30), uint16(5), false, marked)
	}
	f.Fuzz(func(t *testing.T, b []byte, first, second, hole uint16, begins, marked bool) {
		run := func(step int, hole int) (list []string) { // up to the first gap
			var f Framer
			gap := false
			if begins {
				f.Expect(Key{}, 0, 0, 0)
			}
			f.Mark(marked)
			end := uint64(0)
			for at, i := 0, 0; at < len(b); i++ {
				n := min(step, len(b)-at)
				f.Push(b[at:at+n], 0, uint64(at), uint32(i))
				for u := f.Next(); u != nil; u = f.Next() {
					if u.Off < end || u.Off+uint64(u.Size) > uint64(at+n) || len(u.Raw) > u.Size || len(u.Bytes) > u.Len {
						t.Fatalf("%d+%d after %d, within %d", u.Off, u.Size, end, at+n)
					}
					end = u.Off + uint64(u.Size)
					var seg Segment
					var tree wire.Tree
					c, raw := wire.NewCut(u.Bytes, u.Len, &tree), wire.NewCut(u.Raw, u.Size, &tree)
					if u.Startup {
						new(Startup).Decode(&c)
					} else {
						u.Decode(&seg, &c, &raw)
					}
					if gap = gap || u.Gap; !gap {
						list = append(list, show(u))
					}
				}
				if at += n; hole > 0 {
					k := min(hole, len(b)-at)
					f.Skip(uint64(k))
					at += k
				}
			}
			return list
		}
		x, y := run(1+int(first), 0), run(1+int(second), 0)
		if begins && !slices.Equal(x, y) {
			t.Fatalf("%q\n%q", x, y)
		}
		run(1+int(first), int(hole))
	})
}
