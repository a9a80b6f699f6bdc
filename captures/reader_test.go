package captures

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// stream hides that src can be read at any place.
type stream struct{ io.Reader }

// readAll reads to the end; the packets own their bytes.
func readAll(r *Reader) (list []Packet, err error) {
	var p Packet
	for {
		if err := r.Next(&p); err != nil {
			return list, err
		}
		q := p
		q.Data = bytes.Clone(p.Data)
		list = append(list, q)
	}
}

// readBatches is readAll by batches.
func readBatches(r *Reader) (list []Packet, err error) {
	var b Batch
	for {
		if err := r.ReadBatch(&b); err != nil {
			return list, err
		}
		for _, p := range b.Packets {
			p.Data = bytes.Clone(p.Data)
			list = append(list, p)
		}
		b.Release()
	}
}

// sameRead reports whether two readings of one file found the same packet at the same place.
func sameRead(a, b Packet) bool {
	return samePacket(a, b) && a.Number == b.Number && a.Pos == b.Pos && a.File == b.File && a.InFile == b.InFile
}

func samePacket(a, b Packet) bool {
	return a.Time == b.Time && a.Link == b.Link && a.WireLen == b.WireLen && a.Interface == b.Interface && bytes.Equal(a.Data, b.Data)
}

func wantPackets(t *testing.T, got, want []Packet) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("got %d packets, want %d", len(got), len(want))
	}
	for i := range min(len(got), len(want)) {
		if !samePacket(got[i], want[i]) || got[i].Number != i+1 {
			t.Errorf("packet %d: got %+v\nwant %+v", i+1, got[i], want[i])
		}
	}
}

// TestFormats reads a file of each format at once, byte by byte, compressed, and
// packet by packet from behind.
func TestFormats(t *testing.T) {
	for _, s := range samples() {
		t.Run(s.name, func(t *testing.T) {
			var gz, zst bytes.Buffer
			zw := gzip.NewWriter(&gz)
			zw.Write(s.file)
			zw.Close()
			w, _ := zstd.NewWriter(&zst)
			w.Write(s.file)
			w.Close()
			for how, src := range map[string]io.Reader{
				"file":         bytes.NewReader(s.file),
				"byte by byte": stream{iotest.OneByteReader(bytes.NewReader(s.file))},
				"gzip":         stream{&gz},
				"zstd":         stream{&zst},
			} {
				r, err := newReader(src, how, Options{Random: true})
				if err != nil {
					t.Fatal(how, err)
				}
				got, err := readAll(r)
				if err != io.EOF {
					t.Errorf("%s: %v", how, err)
				}
				wantPackets(t, got, s.packets)
				for i := len(got) - 1; i >= 0; i-- {
					p := Packet{Number: got[i].Number}
					if err := r.At(got[i].Pos, &p); err != nil || !samePacket(p, got[i]) || p.Pos != got[i].Pos || p.Number != i+1 {
						t.Errorf("%s: packet %d again: %+v, %v", how, i+1, p, err)
					}
				}
				if err := r.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// TestEveryCut cuts a file of each format at every offset: all records before the
// cut are read, and the error is ErrCut, or none where a record ends.
func TestEveryCut(t *testing.T) {
	for _, s := range samples() {
		t.Run(s.name, func(t *testing.T) {
			whole, err := NewReader(bytes.NewReader(s.file), s.name)
			if err != nil {
				t.Fatal(err)
			}
			var ends []int // of the packet records
			for p := (Packet{}); whole.Next(&p) == nil; {
				ends = append(ends, int(whole.cur.base)+whole.off)
			}
			known := ends[0]
			if s.name == "ERF" {
				known = ends[1] // it has no magic number
			}
			for n := range s.file {
				r, err := NewReader(bytes.NewReader(s.file[:n]), s.name)
				if err != nil {
					if !errors.Is(err, ErrCut) && !errors.Is(err, ErrNotCapture) || n > known {
						t.Errorf("cut at %d: %v", n, err)
					}
					continue
				}
				got, err := readAll(r)
				if err != io.EOF && !errors.Is(err, ErrCut) {
					t.Errorf("cut at %d: %v", n, err)
				}
				fit := sort.SearchInts(ends, n+1)
				wantPackets(t, got, s.packets[:fit])
				if fit > 0 && ends[fit-1] == n && err != io.EOF {
					t.Errorf("cut after a record, at %d: %v", n, err)
				}
			}
		})
	}
}

// TestInfo checks what a file says about itself.
func TestInfo(t *testing.T) {
	for _, s := range samples() {
		if !strings.HasPrefix(s.name, "pcapng, Little") {
			continue
		}
		r, err := NewReader(bytes.NewReader(s.file), "x")
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Info().Interfaces; len(got) != 2 || got[0].Name != "eth0" || got[1].LinkNumber != 276 {
			t.Errorf("interfaces before the first packet: %+v", got)
		}
		list, _ := readAll(r)
		f := r.Info()
		if f.Format != "pcapng" || f.ByteOrder != "mixed" || f.Application != "a program" || len(f.Comments) != 1 ||
			f.Comments[0] != "about the file" || len(f.Interfaces) != 3 || f.TimeDigits != 6 || f.Interfaces[1].TimeDigits != 4 || f.Interfaces[2].TimeDigits != 3 ||
			f.Dropped != 7 || f.Interfaces[1].Dropped != 7 {
			t.Errorf("%+v", f)
		}
		if c, err := r.Comments(list[0].Pos); err != nil || strings.Join(c, "|") != "first|second" {
			t.Errorf("comments of packet 1: %q, %v", c, err)
		}
		for _, p := range list[1:] {
			if c, err := r.Comments(p.Pos); err != nil || len(c) != 0 {
				t.Errorf("comments of packet %d: %q, %v", p.Number, c, err)
			}
		}
	}
}

// TestSnoopDrops: snoop counts losses in every record.
func TestSnoopDrops(t *testing.T) {
	record := snoopRecord(1, 1, frame(1, 60))
	be.PutUint32(record[12:], 5)
	r, err := NewReader(bytes.NewReader(append(snoopHead(), record...)), "x")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := readAll(r); err != io.EOF || r.Info().Dropped != 5 {
		t.Errorf("%+v, %v", r.Info(), err)
	}
}

// TestErrors checks the message and the kind of what can go wrong.
func TestErrors(t *testing.T) {
	pcapFile := func(records ...[]byte) []byte {
		return append(pcapHead(le, pcapMicro, 96), bytes.Join(records, nil)...)
	}
	ngFile := func(blocks ...[]byte) []byte {
		return append(append(ngHead(le), ngIface(le, 1, 0)...), bytes.Join(blocks, nil)...)
	}
	good := pcapRecord(le, 1, 1, frame(1, 60))
	etl := make([]byte, 0x50)
	copy(etl[0x48:], "\x02\x00\x02\xc0")
	for _, c := range []struct {
		name string
		file []byte
		kind error
		want string
	}{
		{"empty", nil, ErrNotCapture, "x.pcap: is empty, not a capture file"},
		{"text", []byte("a text that is long enough to be looked at\n"), ErrNotCapture,
			"x.pcap: is not a capture file that odxray knows (pcap, pcapng, snoop, ERF; also in gzip or zstd)"},
		{"head cut", pcapHead(le, pcapMicro, 96)[:20], ErrCut, "x.pcap: offset 0x0: the file ends inside a record"},
		{"old pcap", append([]byte{0xd4, 0xc3, 0xb2, 0xa1, 1, 0}, make([]byte, 40)...), ErrNotCapture,
			"x.pcap: offset 0x4: pcap version 1.0 is not known (2.4 is)"},
		{"netmon", []byte("GMBU\x00\x02"), ErrForeign,
			"x.pcap: is a Network Monitor 2 capture, which odxray does not read; convert it: editcap -F pcapng x.pcap x.pcap.pcapng"},
		{"etl", etl, ErrForeign,
			"x.pcap: is a Windows event trace (ETL), which odxray does not read; convert it: etl2pcapng x.pcap x.pcap.pcapng"},
		{"long record", pcapFile(good, u32s(le, nil, 0, 0, 90210311, 60), good), ErrDamaged,
			"x.pcap: offset 0x64: packet record says 90210311 bytes"},
		{"cut record", pcapFile(good, good[:30]), ErrCut, "x.pcap: offset 0x64: the file ends inside a record"},
		{"short snoop record", append(snoopHead(), u32s(be, nil, 60, 60, 30, 0, 0, 0)...), ErrDamaged,
			"x.pcap: offset 0x10: packet record says 30 bytes in all, 60 of them captured"},
		{"long snoop record", append(snoopHead(), u32s(be, nil, 60, 60, 1<<31, 0, 0, 0)...), ErrDamaged,
			"x.pcap: offset 0x10: packet record says 2147483648 bytes in all"},
		{"empty block", ngFile(u32s(le, nil, 7, 0, 0)), ErrDamaged, "x.pcap: offset 0x30: block of type 0x7 says 0 bytes"},
		{"odd block", ngFile(u32s(le, nil, 7, 14, 0)), ErrDamaged, "x.pcap: offset 0x30: block of type 0x7 says 14 bytes"},
		{"short packet", ngFile(ngBlock(le, ngEnhanced, make([]byte, 16))), ErrDamaged, "x.pcap: offset 0x30: packet block says 28 bytes in all"},
		{"packet outside its block", ngFile(ngBlock(le, ngEnhanced, u32s(le, nil, 0, 0, 0, 9, 9, 0, 0))), ErrDamaged,
			"x.pcap: offset 0x30: packet record says 9 bytes in a block of 40"},
		{"huge packet", ngFile(u32s(le, nil, ngEnhanced, 0xfffffffc, 0, 0, 0, 0xfffffff0, 9)), ErrDamaged,
			"x.pcap: offset 0x30: packet record says 4294967280 bytes"},
		{"huge options", ngFile(u32s(le, nil, ngEnhanced, 0xfffffffc, 0, 0, 0, 16, 9)), ErrDamaged,
			"x.pcap: offset 0x30: packet record says 4294967244 bytes of options"},
		{"huge block", ngFile(u32s(le, nil, 7, 0xfffffffc, 0)), ErrCut, "x.pcap: offset 0x3c: the file ends inside a record"},
		{"no interface", append(ngHead(le), ngPacketBlock(le, 3, 0, nil)...), ErrDamaged,
			"x.pcap: offset 0x1c: packet of interface 3, but the section has described 0"},
		{"lengths differ", ngFile(u32s(le, nil, 7, 16, 0, 12)), ErrDamaged, "x.pcap: offset 0x3c: block ends with length 12 where it began with 16"},
		{"packet lengths differ", ngFile(u32s(le, nil, ngEnhanced, 32, 0, 0, 0, 0, 0, 12)), ErrDamaged,
			"x.pcap: offset 0x30: block ends with length 12 where it began with 32"},
		{"section without magic", ngFile(u32s(le, nil, ngSection, 28, 0, 0, 0, 0, 28)), ErrDamaged, "x.pcap: offset 0x30: section header without byte-order magic"},
		{"option outside its block", append(ngHead(le), ngIface(le, 1, 0, u32s(le, nil, 0x00ff0002))...), ErrDamaged,
			"x.pcap: offset 0x1c: option 2 says 255 bytes where 0 are left"},
		{"cut gzip", []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0, 1}, ErrCut, "x.pcap: offset 0x0: the compressed file ends too early"},
		{"large window", []byte{0x28, 0xb5, 0x2f, 0xfd, 0, 0x90, 1, 0, 0, 0}, ErrForeign,
			"x.pcap: needs more than 128 MiB to unpack; unpack it first: zstd -d --long=31"},
		{"damaged zstd", []byte{0x28, 0xb5, 0x2f, 0xfd, 0, 0x08, 7, 0, 0, 0}, ErrDamaged,
			"x.pcap: offset 0x0: the compressed data are damaged: invalid input: reserved block type encountered"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.pcap")
			if err := os.WriteFile(path, c.file, 0o600); err != nil {
				t.Fatal(err)
			}
			r, err := Open(path)
			if err == nil {
				_, err = readAll(r)
				if again := r.Next(&Packet{}); again != err {
					t.Errorf("then: %v", again)
				}
				r.Close()
			}
			got := strings.ReplaceAll(err.Error(), path, "x.pcap")
			if got != c.want || !errors.Is(err, c.kind) {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if _, err := Open(t.TempDir()); err == nil || !strings.HasSuffix(err.Error(), ": is a directory") {
		t.Error(err)
	}
}

// roomy is a file that does not like to be read into no room: a Reader that does would go on
// for ever.
type roomy struct{ *bytes.Reader }

func (f roomy) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, errors.New("a read of no bytes")
	}
	return f.Reader.Read(p)
}

// TestLongestRecord reads the longest packets there may be where a block ends just behind
// what says how long they are.
func TestLongestRecord(t *testing.T) {
	long, text := frame(1, maxPacket), ngOption(le, 1, bytes.Repeat([]byte("x"), maxOptions-8))
	for _, c := range []struct {
		name         string
		head, record []byte
		said         int // bytes of the record that say how long it is
		small        func(data []byte) []byte
	}{
		{"pcap", pcapHead(le, pcapMicro, 0), pcapRecord(le, 1, 1, long), pcapRecHead, func(b []byte) []byte { return pcapRecord(le, 1, 1, b) }},
		{"pcapng", append(ngHead(le), ngIface(le, 1, 0)...), ngPacketBlock(le, 0, 1, long), ngPacketHead, func(b []byte) []byte { return ngPacketBlock(le, 0, 1, b) }},
		{"pcapng with options", append(ngHead(le), ngIface(le, 1, 0)...), ngPacketBlock(le, 0, 1, long, text), ngPacketHead, func(b []byte) []byte { return ngPacketBlock(le, 0, 1, b) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := c.small(make([]byte, blockSize-len(c.head)-len(c.small(nil))-c.said))
			file := bytes.Join([][]byte{c.head, before, c.record, c.small(frame(2, 60))}, nil)
			if at := len(c.head) + len(before) + c.said; at != blockSize {
				t.Fatalf("it does not lie where a block ends: %d", at)
			}
			for name, read := range map[string]func(*Reader) ([]Packet, error){"one by one": readAll, "in batches": readBatches} {
				r, err := NewReader(roomy{bytes.NewReader(file)}, "x")
				if err != nil {
					t.Fatal(err)
				}
				list, err := read(r)
				if err != io.EOF || len(list) != 3 || !bytes.Equal(list[1].Data, long) {
					t.Errorf("%s: %d packets, %v", name, len(list), err)
				}
			}
		})
	}
}
