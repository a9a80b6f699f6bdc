package captures

import (
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
