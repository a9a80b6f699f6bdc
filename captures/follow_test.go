package captures

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// TestFollow reads a file while it is written, from before its first packet on.
func TestFollow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "grows.pcap")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	write := func(b []byte) {
		if _, err := f.Write(b); err != nil {
			t.Error(err)
		}
	}
	head, record := pcapHead(le, pcapMicro, 0), pcapRecord(le, 1, 1, frame(1, 60))
	write(append(head, record[:10]...)) // a record that is not complete yet
	stop := make(chan struct{})
	r, err := OpenWith(path, Options{Follow: stop})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var p, q Packet
	for n := 1; n <= 3; n++ {
		go write(append(record[10:len(record):len(record)], record[:10]...))
		if err := r.Next(&p); err != nil || p.Number != n || len(p.Data) != 60 {
			t.Fatalf("%+v, %v", p, err)
		}
		if err := r.At(p.Pos, &q); err != nil || !samePacket(p, q) {
			t.Errorf("again: %+v, %v", q, err)
		}
	}
	go func() { write(record[10:]); close(stop) }()
	if err := r.Next(&p); err != nil {
		t.Error(err)
	}
	if err := r.Next(&p); err != io.EOF {
		t.Error(err)
	}
}

// TestPipe opens a stream that has no packet yet: Open does not wait for one.
func TestPipe(t *testing.T) {
	in, out := io.Pipe()
	go out.Write(append(pcapHead(le, pcapMicro, 0), make([]byte, longestHead-pcapFileHead)...))
	r, err := NewReader(in, "x")
	if err != nil {
		t.Fatal(err)
	}
	go out.Write(make([]byte, 8)) // with the 8 before, an empty packet
	if link := r.LinkType(); link != 1 {
		t.Error(link)
	}
	var p Packet
	if err := r.Next(&p); err != nil || p.Number != 1 || p.WireLen != 0 {
		t.Errorf("%+v, %v", p, err)
	}
	out.Close()
	if err := r.Next(&p); err != io.EOF {
		t.Error(err)
	}
}

// TestFollowRotation goes on where another file takes the place of the one that is read,
// in each of the ways in which tools do that, and reads packets of all of them again.
func TestFollowRotation(t *testing.T) {
	head, record := pcapHead(le, pcapMicro, 0), pcapRecord(le, 1, 1, frame(1, 60))
	for _, way := range []struct{ name, first, second string }{
		{"moved away", "a.pcap", "a.pcap"},
		{"dumpcap", "a_00009_20260101120000.pcap", "a_00010_20260101120100.pcap"},
		{"tcpdump", "a.pcap", "a.pcap1"},
		{"tcpdump again", "a.pcap1", "a.pcap2"},
		{"cut to nothing", "a.pcap", ""},
	} {
		t.Run(way.name, func(t *testing.T) {
			dir := t.TempDir()
			first := filepath.Join(dir, way.first)
			write := func(path string, b ...[]byte) {
				if err := os.WriteFile(path, bytes.Join(b, nil), 0o666); err != nil {
					t.Error(err)
				}
			}
			write(first, head, record, record)
			stop := make(chan struct{})
			f, err := Follow(first, stop)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			var p, q Packet
			var seen []Packet
			next := func(n int) {
				t.Helper()
				if err := f.Next(&p); err != nil || p.Number != n || len(p.Data) != 60 {
					t.Fatalf("packet %d: %+v, %v", n, p, err)
				}
				p.Data = bytes.Clone(p.Data)
				seen = append(seen, p)
			}
			next(1)
			next(2)
			switch way.name {
			case "moved away":
				if err := os.Rename(first, first+".old"); err != nil {
					t.Fatal(err)
				}
				write(first, head, record)
			case "cut to nothing":
				write(first, head, record)
			default:
				write(filepath.Join(dir, way.second), head, record)
			}
			next(3)
			for i := range seen[:2] {
				if err := f.At(seen[i].Pos, &q); way.name != "cut to nothing" && (err != nil || !bytes.Equal(q.Data, seen[i].Data)) {
					t.Errorf("packet %d again: %+v, %v", i+1, q, err)
				}
			}
			if err := f.At(seen[2].Pos, &q); err != nil || q.Pos != seen[2].Pos {
				t.Errorf("packet 3 again: %+v, %v", q, err)
			}
			close(stop)
			if err := f.Next(&p); err != io.EOF {
				t.Error(err)
			}
		})
	}
}
