package captures_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/gopacket"

	"github.com/odxray/odxray/captures"
)

// handle stands for one of libpcap on an RDMA device: copies of packets, one at a time.
type handle struct {
	r *captures.Reader
	n int
}

func (h *handle) ReadPacketData() ([]byte, gopacket.CaptureInfo, error) {
	h.n++
	return h.r.ReadPacketData()
}

// TestPacketDataSource reads what an RDMA device would show, and again from the spool: all
// packets, whole, in order; drops are not known.
func TestPacketDataSource(t *testing.T) {
	paths := []string{filepath.Join("..", "flows", "testdata", "rocev2.pcap")}
	if dir := os.Getenv("ODXRAY_CAPTURES"); dir != "" {
		more, err := filepath.Glob(filepath.Join(dir, "own", "rocev2-*"))
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, more...)
	}
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	for _, path := range paths {
		r, err := captures.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		want, err := captures.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		h := &handle{r: r}
		l, err := captures.OpenLive(captures.LiveOptions{Packets: h, Device: "mlx5_0", Link: r.LinkType(), Random: true, Spool: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		var p, q captures.Packet
		var pos []int64
		var kept [][]byte
		for {
			err := l.Next(&p)
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := want.Next(&q); err != nil || !bytes.Equal(p.Data, q.Data) || p.Time != q.Time || p.WireLen != q.WireLen || p.Link != q.Link || p.Number != q.Number {
				t.Fatalf("%s: packet %d: %+v, want %+v, %v", path, p.Number, p, q, err)
			}
			pos, kept = append(pos, p.Pos), append(kept, bytes.Clone(p.Data))
		}
		if err := want.Next(&q); err != io.EOF {
			t.Errorf("%s: packets are missing: %v", path, err)
		}
		for i := len(pos) - 1; i >= 0; i -= 7 {
			err := l.At(pos[i], &q)
			if errors.Is(err, captures.ErrOverwritten) && i < len(pos)/2 {
				break // the spool holds 8 MB, and not less than the latest seven eighths of that
			}
			if err != nil || !bytes.Equal(q.Data, kept[i]) {
				t.Fatalf("%s: packet %d again: %d bytes, %v", path, i+1, len(q.Data), err)
			}
		}
		if c := l.Counts(); c.Known {
			t.Errorf("drops are known: %+v", c)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		r.Close()
		want.Close()
	}
}
