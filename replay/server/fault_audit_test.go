package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/odx"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/audit"
	"github.com/odxray/odxray/replay/client"
	"github.com/odxray/odxray/replay/copies"
)

// faultyRun has a server with faults serve what drive does, and returns what the audit
// finds in the server's own capture of it. Waits of faults take no time, but show in the
// capture.
func faultyRun(t *testing.T, cfg Config, drive func(t *testing.T, s *Server, port string), rules ...string) []flows.Finding {
	t.Helper()
	for _, text := range rules {
		f, err := ParseFault(text)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Faults = append(cfg.Faults, f)
	}
	name := filepath.Join(t.TempDir(), "run.pcapng")
	out, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cfg.Pcap = out
	s, port := start(t, cfg)
	s.faulty.nap = func(d time.Duration, _, _ <-chan struct{}) { s.tape.gain.Add(int64(d)) }
	drive(t, s, port)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, h := range s.FaultHits() {
		if h.Hits == 0 {
			t.Errorf("%s happened to none of %d requests", h.Rule, h.Seen)
		}
	}
	keys := new(flows.Keys)
	keys.AddPassword("secret")
	c, err := flows.Open([]string{name}, flows.Options{Judge: audit.Judge, Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	return c.Results().Findings
}

// copied copies a file of 1 MiB and a bit by a method; whether that goes well is not what
// the test is about.
func copied(method copies.Method) func(t *testing.T, s *Server, port string) {
	return func(t *testing.T, s *Server, port string) {
		tree := logOn(t, port, client.Options{})
		source(t, tree)
		j := &copies.Job{Method: method, From: tree, To: tree, Source: "source", Destination: "copy"}
		_, err := copies.Copy(patient(t), j)
		if errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		tree.Session.Conn.Close()
	}
}

// source makes the file that is copied.
func source(t testing.TB, tree *client.Tree) {
	f := created(t, tree, "source", data(1<<20+1000))
	if err := f.Close(patient(t)); err != nil {
		t.Fatal(err)
	}
}

func data(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i>>9) ^ byte(i) | 1
	}
	return b
}

// givenUp is copied by a client that waits for no answer once the fault has happened.
func givenUp(method copies.Method) func(t *testing.T, s *Server, port string) {
	return func(t *testing.T, s *Server, port string) {
		tree := logOn(t, port, client.Options{})
		source(t, tree)
		ctx, stop := context.WithCancel(patient(t))
		defer stop()
		go func() {
			for len(s.FaultHits()) > 0 && ctx.Err() == nil {
				if s.FaultHits()[0].Hits > 0 {
					stop()
				}
				time.Sleep(time.Millisecond)
			}
		}()
		j := &copies.Job{Method: method, From: tree, To: tree, Source: "source", Destination: "copy"}
		if _, err := copies.Copy(ctx, j); err == nil && len(s.FaultHits()) > 0 {
			t.Error("the copy was made")
		}
		tree.Session.Conn.Close()
	}
}

// byHand has a test make its own offload calls on two open files.
func byHand(drive func(t *testing.T, from, to *client.File)) func(t *testing.T, s *Server, port string) {
	return func(t *testing.T, s *Server, port string) {
		var tree *client.Tree
		o := client.Options{}
		o.OnBreak = func(b *client.Break) {
			if b.Acknowledge() {
				_ = tree.Session.AcknowledgeBreak(context.Background(), b, tree.ID, b.Open.OplockLevel, b.Key.New)
			}
		}
		tree = logOn(t, port, o)
		source(t, tree)
		from := openAs(t, tree, "source", opening{share: shareAll, disposition: smb2.Open})
		to := openAs(t, tree, "copy", opening{share: shareAll, disposition: smb2.OverwriteIf, oplock: smb2.OplockBatch})
		if err := to.Truncate(patient(t), from.EndOfFile); err != nil {
			t.Fatal(err)
		}
		drive(t, from, to)
		tree.Session.Conn.Close()
	}
}

// offloaded copies from on by offload, and returns how many bytes that was.
func offloaded(t *testing.T, from, to *client.File, ttl uint32) (done uint64, err error) {
	size := uint64(up(int64(from.EndOfFile)))
	for done < size {
		m, err := offloadRead(t, from, odx.ReadRequest{FileOffset: done, CopyLength: size - done, TTL: ttl}, 528)
		if err != nil {
			return done, err
		}
		if err := to.Flush(patient(t)); err != nil { // something between mint and use
			return done, err
		}
		for used := uint64(0); used < m.TransferLength; {
			n, err := offloadWrite(t, to, m.Token.Raw, done, m.TransferLength-used, used)
			if err != nil {
				return done, err
			}
			done, used = done+n, used+n
		}
	}
	return done, nil
}

// whole copies all by offload, whether that goes well or not.
func whole(t *testing.T, from, to *client.File) { _, _ = offloaded(t, from, to, 0) }

// brief is whole with tokens that are to last for a second.
func brief(t *testing.T, from, to *client.File) { _, _ = offloaded(t, from, to, 1000) }

// fallingBack copies by offload until that is refused, and then by chunks.
func fallingBack(t *testing.T, from, to *client.File) {
	n, err := offloaded(t, from, to, 0)
	if err == nil {
		return
	}
	out, err := from.Ioctl(patient(t), fscc.RequestResumeKey, nil, 32)
	if err != nil {
		t.Fatal(err)
	}
	var chunks fscc.CopyChunkRequest
	copy(chunks.Source[:], out)
	for ; n < from.EndOfFile; n += maxChunkBytes {
		chunks.Chunks = chunks.Chunks.Append(fscc.Chunk{Source: n, Target: n, Length: uint32(min(from.EndOfFile-n, maxChunkBytes))})
	}
	if _, err := to.Ioctl(patient(t), fscc.CopyChunk, chunks.Append(nil), 12); err != nil {
		t.Fatal(err)
	}
}

// goingOn does not mind what is refused.
func goingOn(t *testing.T, from, to *client.File) {
	const step = 128 << 10
	for off := uint64(0); off < from.EndOfFile; off += step {
		m := mint(t, from, off, step)
		_, _ = offloadWrite(t, to, m.Token.Raw, off, m.TransferLength, 0)
	}
}

// changing writes to the source between mint and use.
func changing(t *testing.T, from, to *client.File) {
	n := uint64(up(int64(from.EndOfFile)))
	m := mint(t, from, 0, n)
	put(t, from, []byte("new"), 1000)
	_, _ = offloadWrite(t, to, m.Token.Raw, 0, n, 0)
}

// bySmbclient has smbclient copy on the server's side.
func bySmbclient(t *testing.T, _ *Server, port string) {
	if _, err := exec.LookPath("smbclient"); err != nil {
		t.Skip("smbclient is not installed")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "source"), data(1<<20+1000), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("smbclient", "//127.0.0.1/share", "-p", port, "-U", "lab%secret", "-c", "put source; scopy source copy; get copy")
	cmd.Dir = dir
	out, _ := cmd.CombinedOutput() // what it makes of the fault is its own affair
	t.Logf("%s", out)
}

// TestFaults: each fault makes the audit name the rule that it was made for.
func TestFaults(t *testing.T) {
	small := ODX{TokenMax: 256 << 10, WriteMax: 64 << 10}
	for _, c := range []struct {
		faults string // by blanks
		odx    ODX
		drive  func(t *testing.T, s *Server, port string)
		want   string
	}{
		{"offload-read:size=520", ODX{}, copied(copies.ODX), "odx/struct-size"},
		{"offload-write:size=12", ODX{}, copied(copies.ODX), "odx/struct-size"},
		{"offload-read:claim=+1M", ODX{}, copied(copies.ODX), "odx/read-too-long"},
		{"offload-read:claim=0", ODX{}, copied(copies.ODX), "odx/read-empty"},
		{"offload-write:claim=+512", ODX{}, copied(copies.ODX), "odx/write-too-long"},
		{"offload-write:claim=0", ODX{}, copied(copies.ODX), "odx/write-empty"},
		{"offload-read:claim=1000,count=1", small, copied(copies.ODX), "odx/result-unaligned"},
		{"offload-write:claim=-100,count=1", small, copied(copies.ODX), "odx/result-unaligned"},
		{"offload-read:token-id-length=505", ODX{}, copied(copies.ODX), "odx/token-format"},
		{"offload-read:token-type=0xffff0005", ODX{}, copied(copies.ODX), "odx/token-format"},
		{"offload-write:delay=25s", ODX{}, copied(copies.ODX), "odx/slow"},
		{"offload-write:delay=5s", ODX{}, copied(copies.ODX), "odx/slow"},
		{"offload-read:drop=after", ODX{}, copied(copies.ODX), "token/unused"},
		{"offload-write:status=STATUS_DISK_FULL,after=1", small, copied(copies.ODX), "token/part-used"},
		{"offload-write:status=STATUS_INVALID_TOKEN", ODX{}, copied(copies.ODX), "token/refused"},
		{"offload-write:expire", ODX{}, copied(copies.ODX), "token/refused"},
		{"offload-read:corrupt", ODX{}, copied(copies.ODX), "token/refused"},
		{"offload-read:ttl=0s", ODX{}, copied(copies.ODX), "token/refused"},
		{"offload-write:status=STATUS_INVALID_TOKEN,after=1", small, copied(copies.ODX), "token/one-shot"},
		{"offload-read:ttl=1h flush:delay=5s", ODX{}, byHand(brief), "token/expired-used"},
		{"flush:delay=5s offload-write:expire", ODX{}, byHand(brief), "token/expired-refused"},
		{"offload-write:stale", ODX{}, byHand(changing), "token/stale-source"},
		{"offload-write:status=STATUS_DISK_FULL,after=2", small, copied(copies.ODX), "copy/abandoned"},
		{"offload-write:drop", ODX{}, copied(copies.ODX), "smb/unanswered"},
		{"offload-write:status=STATUS_NOT_SUPPORTED,after=1", small, byHand(fallingBack), "copy/fell-back"},
		{"offload-write:status=STATUS_DISK_FULL,after=1,count=1", ODX{}, byHand(goingOn), "copy/gap"},
		{"offload-read:shorten=16k", ODX{}, copied(copies.ODX), "copy/token-churn"},
		{"offload-write:break", ODX{}, byHand(whole), "copy/lease-stall"},
		{"copychunk:limits=16/64k/256k", ODX{}, copied(copies.CopyChunk), "chunk/limits"},
		{"copychunk:limits=16/64k/256k", ODX{}, bySmbclient, "chunk/limits"},
		{"copychunk:claim=-1000", ODX{}, copied(copies.CopyChunk), "chunk/short"},
		{"copychunk:claim=-1000,count=1", ODX{}, bySmbclient, "chunk/short"},
		{"copychunk:status=STATUS_NOT_SUPPORTED", ODX{}, bySmbclient, "copy/abandoned"},
		{"copychunk:shorten=1000,count=1", ODX{}, copied(copies.CopyChunk), "chunk/short"},
		{"offload-write:silent", ODX{}, givenUp(copies.ODX), "smb/unanswered"},
		{"offload-write:drop=done", ODX{}, copied(copies.ODX), "smb/unanswered"},
		{"copychunk:silent=done", ODX{}, givenUp(copies.CopyChunk), "smb/unanswered"},
		{"read:signature", ODX{}, copied(copies.Plain), "smb/bad-signature"},
	} {
		name := c.faults
		if c.odx != (ODX{}) {
			name += " small"
		}
		t.Run(c.want+" "+name, func(t *testing.T) {
			t.Parallel()
			cfg := Config{ODX: c.odx, RequireSigning: true}
			named := func(f flows.Finding) bool { return f.Rule == c.want && f.Uncertain == "" }
			if found := faultyRun(t, cfg, c.drive, strings.Fields(c.faults)...); !slices.ContainsFunc(found, named) {
				t.Errorf("not %s, but\n%s", c.want, lines(found))
			}
			if found := faultyRun(t, cfg, c.drive); slices.ContainsFunc(found, func(f flows.Finding) bool { return f.Rule == c.want }) {
				t.Errorf("without the fault, too:\n%s", lines(found))
			}
		})
	}
}

func lines(found []flows.Finding) string {
	var b strings.Builder
	for _, f := range found {
		fmt.Fprintf(&b, "%v %s: %s (%s)\n", f.Level, f.Rule, f.Message, f.Uncertain)
	}
	return b.String()
}

// TestFaultsNone: without a fault, the audit has nothing to say of what the same clients
// do, but that a plain copy was not offloaded.
func TestFaultsNone(t *testing.T) {
	for name, drive := range map[string]func(t *testing.T, s *Server, port string){
		"odx": copied(copies.ODX), "copychunk": copied(copies.CopyChunk), "duplicate-extents": copied(copies.DuplicateExtents), "plain": copied(copies.Plain),
		"by hand": byHand(whole), "falling back": byHand(fallingBack), "brief": byHand(brief), "smbclient": bySmbclient,
	} {
		t.Run(name, func(t *testing.T) {
			for _, f := range faultyRun(t, Config{}, drive) {
				if name != "plain" || f.Rule != "copy/not-offloaded" || f.Level != flows.Note {
					t.Errorf("%v %s: %s", f.Level, f.Rule, f.Message)
				}
			}
		})
	}
}
