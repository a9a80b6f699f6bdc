package flowtest

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/odxray/odxray/captures"
)

// Pcapng is a file of packets.
func Pcapng(packets []captures.Packet) []byte {
	var file bytes.Buffer // never fails
	w, err := captures.NewWriter(&file, captures.WriterOptions{})
	for i := 0; err == nil && i < len(packets); i++ {
		err = w.Packet(&packets[i])
	}
	if err != nil {
		panic(err)
	}
	return file.Bytes()
}

// Write writes packets to a file of that name, and returns its path.
func Write(t testing.TB, name string, packets []captures.Packet) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, Pcapng(packets), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// Packets are those of a capture.
func Packets(t testing.TB, path string) (list []captures.Packet) {
	t.Helper()
	r, err := captures.OpenFiles([]string{path}, captures.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var b captures.Batch
	for r.ReadBatch(&b) == nil {
		for _, p := range b.Packets {
			p.Data = bytes.Clone(p.Data)
			list = append(list, p)
		}
		b.Release()
	}
	return list
}
