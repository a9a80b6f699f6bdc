package server

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/replay/client"
	"github.com/odxray/odxray/replay/copies"
)

// TestParseFault: what a rule may be, and one clear line for what it may not.
func TestParseFault(t *testing.T) {
	for rule, want := range map[string]string{
		"offload-write:status=STATUS_DISK_FULL":                                   "",
		"FSCTL_OFFLOAD_WRITE:status=disk_full":                                    "",
		"any:delay=300ms,chance=5%":                                               "",
		"query_info:status=0xc0000022,file=*.vhdx":                                "",
		"SRV_COPYCHUNK_WRITE:limits=16/64k/1M,after=2,every=3,count=4,chance=0.5": "",
		"read:drop":                          "",
		"read:drop=after":                    "",
		"write:claim=-512":                   "",
		"":                                   `"" is not of the form REQUEST:EFFECT, as in offload-write:status=STATUS_DISK_FULL`,
		"offload-write":                      `"offload-write" is not of the form REQUEST:EFFECT, as in offload-write:status=STATUS_DISK_FULL`,
		"unread:drop":                        `there is no request "unread"`,
		"cancel:drop":                        `there is no request "cancel"`,
		"read:":                              `there is no effect ""`,
		"read:fail":                          `there is no effect "fail": there are status, delay,`,
		"read:status":                        "status needs a value: status=STATUS",
		"read:status=":                       "no status has that name",
		"read:status=NOPE":                   "no status has that name",
		"read:status=SUCCESS":                "that is no error",
		"read:delay=5":                       "it is a time of at most an hour",
		"read:delay=2h":                      "it is a time of at most an hour",
		"read:drop=before":                   "it is done or after",
		"read:corrupt=1":                     "corrupt takes no value",
		"write:corrupt":                      "corrupt is for read, offload-read, request-resume-key",
		"write:claim=+-5":                    "it is a number of bytes",
		"write:shorten=5x":                   "it is a number of bytes",
		"write:shorten=99999999999999999999": "it is a number of bytes",
		"copychunk:limits=1/2":               "it is three numbers",
		"any:credits=9000":                   "it is a number up to 8192",
		"read:drop,count=0":                  "count=0: it is a number from 1 on",
		"read:drop,every=x":                  "every=x: it is a number from 1 on",
		"read:drop,chance=2":                 "chance=2: it is a part of 1",
		"read:drop,chance=NaN":               "chance=NaN: it is a part of 1",
		"read:drop,file=":                    "file=: it is a name",
		"read:drop,file=[":                   "file=[: it is a name",
		"read:drop,delay=5s":                 `there is no condition "delay"`,
	} {
		f, err := ParseFault(rule)
		switch {
		case want == "" && (err != nil || f.String() != rule):
			t.Errorf("%s: %v", rule, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n")):
			t.Errorf("%s: %v, want %s", rule, err, want)
		}
	}
	for _, e := range effects {
		if !strings.Contains(FaultHelp(), "  "+e.name) {
			t.Errorf("help does not tell of %s", e.name)
		}
		for _, on := range strings.Fields(e.on) {
			if _, ok := parseTarget(on); !ok {
				t.Errorf("%s is for %q, which is no request", e.name, on)
			}
		}
	}
}

// withFaults starts a server with rules.
func withFaults(t *testing.T, cfg Config, rules ...string) (s *Server, port string) {
	t.Helper()
	for _, text := range rules {
		f, err := ParseFault(text)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Faults = append(cfg.Faults, f)
	}
	return start(t, cfg)
}

// failures has a client flush a file so many times, and marks the times that failed.
func failures(t *testing.T, f *client.File, n int) string {
	var b strings.Builder
	for range n {
		mark := "."
		if err := f.Flush(patient(t)); err != nil {
			wantStatus(t, "flush", err, ntstatus.DiskFull)
			mark = "x"
		}
		b.WriteString(mark)
	}
	return b.String()
}

// TestFaultConditions: after, every, count and file say which requests fail.
func TestFaultConditions(t *testing.T) {
	for condition, want := range map[string]string{
		"":                         "xxxxxxxxxx",
		",after=3":                 "...xxxxxxx",
		",every=4":                 "x...x...x.",
		",after=1,every=3,count=2": ".x..x.....",
		",file=a*":                 "xxxxxxxxxx",
		",file=dir/?.txt":          "xxxxxxxxxx",
		",file=dir":                "..........",
	} {
		_, port := withFaults(t, Config{}, "flush:status=STATUS_DISK_FULL"+condition)
		tree := logOn(t, port, client.Options{})
		if err := tree.Mkdir(patient(t), "dir"); err != nil {
			t.Fatal(err)
		}
		f := created(t, tree, `Dir\A.txt`, []byte("text"))
		if got := failures(t, f, 10); got != want {
			t.Errorf("%s: %s, want %s", condition, got, want)
		}
	}
}

// TestFaultChance: with one seed the same requests fail every time, with another others;
// a second rule does not change that.
func TestFaultChance(t *testing.T) {
	run := func(seed uint64, more ...string) string {
		_, port := withFaults(t, Config{FaultSeed: seed}, append([]string{"flush:status=STATUS_DISK_FULL,chance=30%"}, more...)...)
		return failures(t, created(t, logOn(t, port, client.Options{}), "f", []byte("text")), 200)
	}
	first := run(1)
	if again := run(1, "any:credits=100,chance=0.5"); again != first {
		t.Errorf("%s and then\n%s", first, again)
	}
	if other := run(2); other == first {
		t.Error("another seed makes no difference")
	}
	if n := strings.Count(first, "x"); n < 30 || n > 90 { // of the seed above, for ever
		t.Errorf("%d of 200 fail", n)
	}
}

// TestFaultEffects: what the audit does not look at.
func TestFaultEffects(t *testing.T) {
	text := data(100_000)
	read := func(t *testing.T, tree *client.Tree) []byte {
		f := created(t, tree, "f", text)
		return contents(t, f, len(text))
	}
	for _, c := range []struct {
		rule  string
		check func(t *testing.T, tree *client.Tree)
	}{
		{"read:corrupt", func(t *testing.T, tree *client.Tree) {
			if got := read(t, tree); bytes.Equal(got, text) || len(got) != len(text) {
				t.Error("the data is right")
			}
		}},
		{"read:shorten=1000", func(t *testing.T, tree *client.Tree) {
			if got := read(t, tree); !bytes.Equal(got, text) {
				t.Error("a client that goes on reads other data")
			}
		}},
		{"write:shorten=30k", func(t *testing.T, tree *client.Tree) {
			f := openAs(t, tree, "f", opening{share: shareAll, disposition: smb2.OverwriteIf})
			n, _ := f.WriteAt(patient(t), text, 0)
			if got := contents(t, f, len(text)); !bytes.Equal(got, text[:len(got)]) || len(got) != n || n == 0 {
				t.Errorf("%d bytes in the file, %d written", len(got), n)
			}
		}},
		{"write:claim=-1,count=1", func(t *testing.T, tree *client.Tree) {
			f := openAs(t, tree, "f", opening{share: shareAll, disposition: smb2.OverwriteIf})
			if n, err := f.WriteAt(patient(t), text[:1000], 0); n == 1000 && err != nil {
				t.Errorf("%d written, %v", n, err)
			}
			if got := contents(t, f, len(text)); len(got) != 1000 {
				t.Errorf("%d bytes in the file", len(got))
			}
		}},
		{"flush:pending=10ms", func(t *testing.T, tree *client.Tree) {
			if got := failures(t, created(t, tree, "f", text), 3); got != "..." {
				t.Error(got)
			}
		}},
		{"flush:pending=1h", func(t *testing.T, tree *client.Tree) {
			f := created(t, tree, "f", text)
			calls, err := tree.Session.Start(patient(t), &client.Request{Command: smb2.Flush, TreeID: tree.ID, Body: (&smb2.FlushRequest{File: f.File}).Append(nil)})
			if err != nil {
				t.Fatal(err)
			}
			if err := calls[0].Cancel(patient(t)); err != nil {
				t.Fatal(err)
			}
			if a, err := calls[0].Wait(patient(t)); err != nil || a.Status != ntstatus.Cancelled {
				t.Errorf("%v, %+v", err, a)
			}
			if err := f.Close(patient(t)); err != nil { // the connection goes on
				t.Error(err)
			}
		}},
		{"any:credits=1", func(t *testing.T, tree *client.Tree) {
			if got := read(t, tree); !bytes.Equal(got, text) {
				t.Error("a client with one credit reads other data")
			}
		}},
		{"flush:credits=0", func(t *testing.T, tree *client.Tree) {
			if got := failures(t, created(t, tree, "f", text), 3); got != "..." {
				t.Error(got)
			}
		}},
		{"flush:drop", func(t *testing.T, tree *client.Tree) {
			if err := created(t, tree, "f", text).Flush(patient(t)); !errors.Is(err, client.ErrClosed) {
				t.Error(err)
			}
		}},
		{"flush:drop=after", func(t *testing.T, tree *client.Tree) {
			f := created(t, tree, "f", text)
			if err := f.Flush(patient(t)); err != nil {
				t.Error(err)
			}
			if err := f.Flush(patient(t)); !errors.Is(err, client.ErrClosed) {
				t.Error(err)
			}
		}},
		{"flush:silent", func(t *testing.T, tree *client.Tree) {
			f := created(t, tree, "f", text)
			ctx, stop := context.WithTimeout(context.Background(), 50*time.Millisecond)
			defer stop()
			if err := f.Flush(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
			if err := f.Close(patient(t)); err != nil { // the connection goes on
				t.Error(err)
			}
		}},
		{"request-resume-key:corrupt", func(t *testing.T, tree *client.Tree) {
			source(t, tree)
			_, err := copies.Copy(patient(t), &copies.Job{Method: copies.CopyChunk, From: tree, To: tree, Source: "source", Destination: "copy"})
			wantStatus(t, "copychunk", err, ntstatus.ObjectNameNotFound)
		}},
		{"offload-read:claim=-512", func(t *testing.T, tree *client.Tree) {
			source(t, tree)
			j := &copies.Job{Method: copies.ODX, From: tree, To: tree, Source: "source", Destination: "copy", Verify: true}
			if r, err := copies.Copy(patient(t), j); err == nil && r.Reads < 2 {
				t.Errorf("%+v", r)
			}
		}},
	} {
		t.Run(c.rule, func(t *testing.T) {
			t.Parallel()
			s, port := withFaults(t, Config{}, c.rule)
			c.check(t, logOn(t, port, client.Options{}))
			if h := s.FaultHits(); len(h) != 1 || h[0].Hits == 0 || h[0].Rule != c.rule {
				t.Errorf("%+v", h)
			}
		})
	}
}

// TestFaultPendingEnds: the server's end does not wait for what is to be answered later.
func TestFaultPendingEnds(t *testing.T) {
	s, port := withFaults(t, Config{}, "flush:pending=1h", "close:delay=1h")
	tree := logOn(t, port, client.Options{})
	f, g := created(t, tree, "f", nil), created(t, tree, "g", nil)
	_, err := tree.Session.Start(patient(t),
		&client.Request{Command: smb2.Flush, TreeID: tree.ID, Body: (&smb2.FlushRequest{File: f.File}).Append(nil)},
		&client.Request{Command: smb2.Close, TreeID: tree.ID, Body: (&smb2.CloseRequest{File: g.File}).Append(nil)})
	if err != nil {
		t.Fatal(err)
	}
	for h := s.FaultHits(); h[0].Hits+h[1].Hits == 0; h = s.FaultHits() {
		time.Sleep(time.Millisecond)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestFaultCredits: the server grants no more than a rule says, from the first answer on.
func TestFaultCredits(t *testing.T) {
	_, port := withFaults(t, Config{}, "any:credits=2")
	var granted []uint16
	o := client.Options{Tap: func(u *client.Unit) {
		const creditsAt = 14
		if !u.Sent && len(u.Wire) > creditsAt+1 && bytes.HasPrefix(u.Wire, []byte("\xfeSMB")) {
			granted = append(granted, uint16(u.Wire[creditsAt])|uint16(u.Wire[creditsAt+1])<<8)
		}
	}}
	tree := logOn(t, port, o)
	if err := created(t, tree, "f", nil).Flush(patient(t)); err != nil {
		t.Fatal(err)
	}
	if len(granted) < 5 || slices.Max(granted) > 2 {
		t.Errorf("%d", granted)
	}
}
