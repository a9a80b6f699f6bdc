package captures

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"github.com/odxray/odxray/captures/linktype"
)

// shared returns the folder of shared captures, or skips the test.
func shared(t testing.TB) string {
	dir := os.Getenv("ODXRAY_CAPTURES")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "captures")
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skip("no shared captures: set ODXRAY_CAPTURES to their folder")
	}
	return dir
}

// captureFiles lists the uncompressed captures under dir that pcapgo has a
// reader for.
func captureFiles(t testing.TB, dir string) []string {
	var list []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && d.Name() != "README.md" {
			list = append(list, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// oracle returns pcapgo's reader for a file, nil if it has none.
func oracle(b []byte) gopacket.PacketDataSource {
	if r, err := pcapgo.NewReader(bytes.NewReader(b)); err == nil {
		r.SetSnaplen(maxPacket) // it refuses packets longer than the file's wish
		return linked{r, r.LinkType()}
	}
	if r, err := pcapgo.NewNgReader(bytes.NewReader(b), pcapgo.NgReaderOptions{WantMixedLinkType: true}); err == nil {
		return r
	}
	if r, err := pcapgo.NewSnoopReader(bytes.NewReader(b)); err == nil {
		if link, err := r.LinkType(); err == nil {
			return linked{r, *link}
		}
	}
	return nil
}

// linked adds the link type to every packet, as NgReader does.
type linked struct {
	gopacket.PacketDataSource
	link layers.LinkType
}

func (l linked) ReadPacketData() ([]byte, gopacket.CaptureInfo, error) {
	data, ci, err := l.PacketDataSource.ReadPacketData()
	ci.AncillaryData = []any{l.link}
	return data, ci, err
}

// TestOracle reads every capture there is beside pcapgo.
func TestOracle(t *testing.T) {
	compared := 0
	for _, path := range captureFiles(t, shared(t)) {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		want := oracle(b)
		if want == nil {
			continue
		}
		compared++
		r, err := OpenWith(path, Options{Random: true})
		if err != nil {
			t.Errorf("%s: pcapgo reads it: %v", path, err)
			continue
		}
		compare(t, path, want, r)
		r.Close()
	}
	if compared < 100 {
		t.Errorf("only %d captures compared", compared)
	}
}

// compare reads the packets of want and r, and each once more by At.
func compare(t *testing.T, name string, want gopacket.PacketDataSource, r *Reader) {
	t.Helper()
	var p, q Packet
	for n := 1; ; n++ {
		data, ci, wantErr := want.ReadPacketData()
		err := r.Next(&p)
		switch {
		case wantErr == io.EOF && (err == io.EOF || errors.Is(err, ErrCut)):
			// pcapgo calls a file cut inside a record header complete.
			return
		case wantErr == io.EOF || errors.Is(wantErr, io.ErrUnexpectedEOF):
			if !errors.Is(err, ErrCut) {
				t.Errorf("%s: after packet %d: pcapgo %v, got %v", name, n-1, wantErr, err)
			}
			return
		case wantErr != nil:
			t.Logf("%s: pcapgo stops after packet %d: %v; we: %v", name, n-1, wantErr, err)
			return
		case err != nil:
			t.Errorf("%s: packet %d: %v", name, n, err)
			return
		}
		link := linktype.Type(ci.AncillaryData[0].(layers.LinkType))
		if p.Link > 255 { // for which pcapgo has no more than eight bits
			link |= p.Link &^ 255
		}
		if link == linktype.ERF {
			var e Packet
			erfRecord(data, &e)
			data, ci.Length, ci.Timestamp, link = e.Data, e.WireLen, time.Unix(0, e.Time), e.Link
		}
		if p.Link == linktype.Raw {
			link = linktype.Of(uint16(link))
		}
		at := time.Unix(0, p.Time)
		if p.Time == 0 || p.Time == math.MaxInt64 && ci.Timestamp.After(at) {
			at = ci.Timestamp // a simple packet block has no time; int64 ends in 2262
		}
		if !bytes.Equal(p.Data, data) || p.WireLen != ci.Length || !at.Equal(ci.Timestamp) || p.Link != link || p.Number != n {
			t.Errorf("%s: packet %d: got %d bytes of %d at %v, link %v; pcapgo %d of %d at %v, link %v",
				name, n, len(p.Data), p.WireLen, at, p.Link, len(data), ci.Length, ci.Timestamp, link)
			return
		}
		if err := r.At(p.Pos, &q); err != nil || !bytes.Equal(q.Data, data) || q.Time != p.Time || q.Link != p.Link {
			t.Errorf("%s: packet %d again at %#x: %d bytes, %v", name, n, p.Pos, len(q.Data), err)
			return
		}
	}
}

// TestBatch reads every capture in batches and one by one.
func TestBatch(t *testing.T) {
	for _, path := range captureFiles(t, shared(t)) {
		r, err := Open(path)
		if err != nil {
			continue
		}
		one, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		var b Batch
		var p Packet
		for {
			err := r.ReadBatch(&b)
			for _, q := range b.Packets {
				if e := one.Next(&p); e != nil || !sameRead(q, p) {
					t.Fatalf("%s: packet %d: %v", path, q.Number, e)
				}
			}
			b.Release()
			if err != nil {
				if e := one.Next(&p); !strings.EqualFold(e.Error(), err.Error()) {
					t.Errorf("%s: %v, in batches %v", path, e, err)
				}
				break
			}
		}
		if done, size := r.Progress(); done != size {
			t.Errorf("%s: read %d bytes of %d", path, done, size)
		}
		one.Close()
		r.Close()
	}
}
