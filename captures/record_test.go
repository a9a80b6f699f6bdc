package captures_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/odxray/odxray/captures"
	"github.com/odxray/odxray/captures/samples"
)

// recorded captures the sample as a stream into files, and returns the live capture, not
// closed, and where its packets lay.
func recorded(t *testing.T, o captures.RecordOptions, stop captures.Stop) (l *captures.Live, pos []int64, kept [][]byte) {
	t.Helper()
	r, err := samples.Open(samples.Demo)
	if err != nil {
		t.Fatal(err)
	}
	l, err = captures.OpenLive(captures.LiveOptions{Stream: r, Write: o, Stop: stop})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	var p captures.Packet
	for {
		if err := l.Next(&p); err == io.EOF {
			return l, pos, kept
		} else if err != nil {
			t.Fatal(err)
		}
		pos, kept = append(pos, p.Pos), append(kept, bytes.Clone(p.Data))
	}
}

// TestRing: a ring keeps the last files, named as dumpcap names them; each can be read by
// itself, and what is kept can be read again while the capture goes on.
func TestRing(t *testing.T) {
	dir := t.TempDir()
	l, pos, kept := recorded(t, captures.RecordOptions{Path: filepath.Join(dir, "x.pcapng"), Rotate: captures.Rotate{Packets: 100, Files: 2}}, captures.Stop{})
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) != 2 {
		t.Fatal(files, err)
	}
	for i, want := range []string{"x_00003_??????????????.pcapng", "x_00004_??????????????.pcapng"} {
		if ok, err := filepath.Match(want, filepath.Base(files[i])); !ok || err != nil {
			t.Errorf("%s, want %s", files[i], want)
		}
	}
	var p captures.Packet
	for i := range pos {
		err := l.At(pos[i], &p)
		if gone := i < 200; gone != (err != nil) || !gone && !bytes.Equal(p.Data, kept[i]) {
			t.Errorf("packet %d again: %v", i+1, err)
		}
	}
	l.Comment("a finding")
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	n := 200
	for _, path := range files {
		r, err := captures.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		for err = r.Next(&p); err == nil; err = r.Next(&p) {
			if !bytes.Equal(p.Data, kept[n]) {
				t.Fatalf("packet %d is another", n+1)
			}
			n++
		}
		if err != io.EOF {
			t.Error(err)
		}
		r.Close()
	}
	if n != len(kept) {
		t.Errorf("%d of %d packets", n, len(kept))
	}
}

// TestAutostop: a capture ends after so many bytes, or files; nothing is written after.
func TestAutostop(t *testing.T) {
	for _, stop := range []captures.Stop{{Bytes: 20_000}, {Files: 1}, {Packets: 7}} {
		path := filepath.Join(t.TempDir(), "x.pcapng")
		o := captures.RecordOptions{Path: path}
		if stop.Files > 0 {
			o.Rotate.Packets = 50
		}
		l, pos, _ := recorded(t, o, stop)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		files, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
		if err != nil || len(files) != 1 {
			t.Errorf("%+v: %q, %v", stop, files, err)
		}
		n, in := len(pos), 0
		r, err := captures.Open(files[0])
		if err != nil {
			t.Fatal(err)
		}
		for p := (captures.Packet{}); r.Next(&p) == nil; {
			in++
		}
		r.Close()
		st, err := os.Stat(files[0])
		if err != nil {
			t.Fatal(err)
		}
		if n != in || stop.Packets > 0 && n != 7 || stop.Files > 0 && n != 50 || stop.Bytes > 0 && (st.Size() < 20_000 || st.Size() > 24_000) {
			t.Errorf("%+v: %d packets, %d in the file of %d bytes", stop, n, in, st.Size())
		}
	}
}

// TestRecordComment: a finding is written beside the packet that comes next, and, after
// the last, beside what became of the packets.
func TestRecordComment(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.pcapng")
	r, err := samples.Open(samples.Demo)
	if err != nil {
		t.Fatal(err)
	}
	l, err := captures.OpenLive(captures.LiveOptions{Stream: r, Write: captures.RecordOptions{Path: path, Application: "odxray", Comments: []string{"of the file"}}})
	if err != nil {
		t.Fatal(err)
	}
	l.Comment("first finding")
	var p captures.Packet
	if err := l.Next(&p); err != nil {
		t.Fatal(err)
	}
	l.Comment("last finding")
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := captures.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Next(&p); err != nil {
		t.Fatal(err)
	}
	if list, err := f.Comments(p.Pos); err != nil || !slices.Equal(list, []string{"first finding"}) {
		t.Errorf("%q, %v", list, err)
	}
	if !slices.Equal(f.Info().Comments, []string{"of the file"}) {
		t.Errorf("%+v", f.Info())
	}
	b, err := os.ReadFile(path)
	if err != nil || !bytes.Contains(b, []byte("last finding")) {
		t.Errorf("the last finding is not in the file: %v", err)
	}
}

// TestTrigger keeps what lies around a moment, from the spool and as it comes, each packet
// once, with a comment where it belongs.
func TestTrigger(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	all, err := samples.Open(samples.Demo)
	if err != nil {
		t.Fatal(err)
	}
	var p captures.Packet
	var times []int64
	var frames [][]byte
	for all.Next(&p) == nil {
		times, frames = append(times, p.Time), append(frames, bytes.Clone(p.Data))
	}
	r, err := samples.Open(samples.Demo)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "x.pcapng")
	l, err := captures.OpenLive(captures.LiveOptions{Stream: r, Write: captures.RecordOptions{Path: path}, Triggered: true})
	if err != nil {
		t.Fatal(err)
	}
	for l.Next(&p) == nil {
	}
	l.Trigger(times[99], times[119], 105, "a finding")
	l.Trigger(times[110], times[129], 112, "another")
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := captures.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n, said := 99, 0
	for ; f.Next(&p) == nil; n++ {
		if !bytes.Equal(p.Data, frames[n]) || p.Time != times[n] {
			t.Fatalf("frame %d is another", n+1)
		}
		if list, err := f.Comments(p.Pos); err == nil && len(list) > 0 {
			said++
			if n+1 == 105 && !slices.Equal(list, []string{"a finding"}) || n+1 < 105 {
				t.Errorf("frame %d: %q", n+1, list)
			}
		}
	}
	if n < 130 || times[n-1] > times[129] || said == 0 {
		t.Errorf("frames 100 to %d were kept, %d with a comment", n, said)
	}
}
