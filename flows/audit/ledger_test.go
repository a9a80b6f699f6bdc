package audit

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/flowtest"
)

// direct is a test's client over SMB Direct, logged in, with a file of 1 MiB.
type direct struct {
	*flowtest.Client
	*flowtest.Direct
	file flowtest.File
}

func (s *direct) wait(d time.Duration) { s.Direct.Wait(d) }

// region is memory of the client.
func region(key uint32, length uint32) []flowtest.Region {
	return []flowtest.Region{{Address: 0x10000, Key: key, Length: length}}
}

// few makes a connection on which each end has so many credits.
func few(credits uint16) func(*flowtest.Direct) {
	return func(d *flowtest.Direct) { d.Limits[0].Credits, d.Limits[1].Credits = credits, credits }
}

// TestLedgerRules: what each rule of the ledgers speaks of, and what it must not speak of.
func TestLedgerRules(t *testing.T) {
	data := make([]byte, 4096)
	for name, test := range map[string]struct {
		want  string
		begin func(*flowtest.Direct)
		play  func(s *direct)
	}{
		"a session": {"", nil, func(s *direct) { s.Client.Write(s.file, 0, data); s.Client.Close(s.file) }},
		"with two credits": {"", few(2), func(s *direct) {
			for range 5 {
				s.SetSize(s.file, 100)
			}
		}},

		// smbd/credit-overrun
		"more than granted": {"smbd/credit-overrun smbd/last-credit", few(3), func(s *direct) {
			for range 4 {
				s.Grant = 0
				s.Transfer(0, 0, nil)
			}
		}},
		"as many as granted": {"smbd/last-credit", few(3), func(s *direct) {
			for range 3 {
				s.Grant = 0
				s.Transfer(0, 0, nil)
			}
		}},
		"the same packet again": {"rdma/retransmit smbd/last-credit", few(3), func(s *direct) {
			for range 3 {
				s.Grant = 0
				s.Transfer(0, 0, nil)
			}
			s.Direct.Again(1)
		}},

		// smbd/last-credit
		"the last one, with a grant": {"", few(3), func(s *direct) {
			for range 2 {
				s.Grant = 0
				s.Transfer(0, 0, nil)
			}
			s.Grant = 1
			s.Transfer(0, 0, nil)
		}},

		// smbd/credit-starved
		"the server owes an answer": {"smbd/credit-starved smbd/last-credit", few(3), func(s *direct) {
			for range 2 {
				s.Grant = 0
				s.Transfer(1, 0, nil)
			}
			s.Grant, s.Direct.Flags = 0, 0
			s.Client.Meet = func() {
				s.wait(200 * time.Millisecond)
				s.Grant = 3
				s.Transfer(0, 0, nil)
			}
			s.SetSize(s.file, 100)
		}},
		"not for long": {"smbd/last-credit", few(3), func(s *direct) {
			for range 2 {
				s.Grant = 0
				s.Transfer(1, 0, nil)
			}
			s.Grant = 0
			s.Client.Meet = func() {
				s.wait(90 * time.Millisecond)
				s.Grant = 3
				s.Transfer(0, 0, nil)
			}
			s.SetSize(s.file, 100)
		}},
		"nothing owed": {"smbd/last-credit", few(3), func(s *direct) {
			for range 2 {
				s.Grant = 0
				s.Transfer(1, 0, nil)
			}
			s.wait(10 * time.Second)
			s.Grant = 3
			s.Transfer(0, 0, nil)
		}},
		"slow, with credits": {"", few(3), func(s *direct) {
			s.Client.Meet = func() { s.wait(time.Second) }
			s.SetSize(s.file, 100)
		}},
		"slow, with the last credit": {"", few(3), func(s *direct) {
			s.Grant = 0
			s.Transfer(1, 0, nil)
			s.Grant = 0
			s.Client.Meet = func() { s.wait(time.Second); s.Grant = 1 }
			s.SetSize(s.file, 100)
		}},
		"pending": {"smbd/last-credit", few(3), func(s *direct) {
			s.Client.Pending = true
			s.Grant = 0
			s.Client.Meet = func() {
				s.Grant = 0
				s.Transfer(1, 0, nil)
				s.wait(time.Second)
				s.Grant = 3
				s.Transfer(0, 0, nil)
			}
			s.Watch(s.file)
		}},
		"the rest of a message": {"smbd/credit-starved smbd/last-credit", few(3), func(s *direct) {
			for n := range 3 {
				s.Grant = 0
				s.Transfer(0, uint32(900-100*n), append([]byte("\xfeSMB"), make([]byte, 96)...))
			}
			s.wait(time.Second)
			s.Grant = 3
			s.Transfer(1, 0, nil)
		}},
		"a deadlock that never ends": {"smbd/credit-starved smbd/last-credit", few(3), func(s *direct) {
			s.Client.Mute = true
			s.Grant = 0
			s.SetSize(s.file, 100)
			for range 2 {
				s.Grant = 0
				s.Transfer(1, 0, nil)
			}
			for n := range 2 {
				s.Grant = 0
				s.Transfer(0, uint32(900-100*n), append([]byte("\xfeSMB"), make([]byte, 96)...))
			}
			s.elsewhere(time.Minute)
		}},
		"a deadlock, and the capture is over": {"smbd/last-credit", few(3), func(s *direct) {
			s.Client.Mute = true
			s.Grant = 0
			s.SetSize(s.file, 100)
			for range 2 {
				s.Grant = 0
				s.Transfer(1, 0, nil)
			}
		}},

		// smbd/keepalive-unanswered
		"nobody answers": {"smbd/keepalive-unanswered", nil, func(s *direct) {
			s.Direct.Flags = 1
			s.Transfer(0, 0, nil)
			s.elsewhere(6 * time.Second)
		}},
		"late": {"smbd/keepalive-unanswered", nil, func(s *direct) {
			s.Direct.Flags = 1
			s.Transfer(0, 0, nil)
			s.wait(6 * time.Second)
			s.Transfer(1, 0, nil)
		}},
		"soon": {"", nil, func(s *direct) {
			s.Direct.Flags = 1
			s.Transfer(0, 0, nil)
			s.wait(4 * time.Second)
			s.Transfer(1, 0, nil)
			s.elsewhere(time.Minute)
		}},
		"any message answers": {"", nil, func(s *direct) {
			s.Direct.Flags = 1
			s.SetSize(s.file, 100)
			s.elsewhere(time.Minute)
		}},
		"the connection ends": {"", nil, func(s *direct) {
			s.Direct.Flags = 1
			s.Transfer(0, 0, nil)
			s.wait(time.Second)
			s.Direct.Disconnect(0)
			s.elsewhere(time.Minute)
		}},
		"the capture ends": {"", nil, func(s *direct) {
			s.Direct.Flags = 1
			s.Transfer(0, 0, nil)
		}},
		"no credit to answer with": {"smbd/credit-starved smbd/last-credit", few(3), func(s *direct) {
			for range 2 {
				s.Grant = 0
				s.Transfer(1, 0, nil)
			}
			s.Grant, s.Direct.Flags = 0, 1
			s.Transfer(0, 0, nil)
			s.elsewhere(time.Minute)
		}},
		"idle": {"", nil, func(s *direct) {
			for range 4 {
				s.wait(5 * time.Second)
				s.Transfer(0, 0, nil)
			}
		}},

		// rdma/after-invalidate
		"after the answer": {"rdma/after-invalidate", nil, func(s *direct) {
			s.ReadDirect(s.file, 0, 1, region(5, 4096), func() { s.Direct.Write(1, 5, 0x10000, data) })
			s.Direct.Write(1, 5, 0x10000, data)
		}},
		"after an invalidation": {"rdma/after-invalidate", nil, func(s *direct) {
			s.WriteDirect(s.file, 0, 2, region(5, 4096), func() {
				s.Direct.Read(1, 5, 0x10000, data)
				s.Direct.Invalidate = 5
			})
			s.Direct.Read(1, 5, 0x10000, data)
		}},
		"after an invalidation of another's key": {"rdma/after-invalidate rdma/short", nil, func(s *direct) {
			s.ReadDirect(s.file, 0, 2, region(5, 4096), func() {
				s.Direct.Invalidate = 5
				s.Transfer(1, 0, nil)
				s.Direct.Write(1, 5, 0x10000, data)
			})
		}},
		"the key given again": {"", nil, func(s *direct) {
			for range 2 {
				s.ReadDirect(s.file, 0, 2, region(5, 4096), func() {
					s.Direct.Write(1, 5, 0x10000, data)
					s.Direct.Invalidate = 5
				})
			}
		}},
		"two requests with one key": {"", nil, func(s *direct) {
			s.Client.Hold = true
			s.ReadDirect(s.file, 0, 1, region(5, 4096), nil)
			s.Direct.Write(1, 5, 0x10000, data)
			s.ReadDirect(s.file, 4096, 1, []flowtest.Region{{Address: 0x20000, Key: 5, Length: 4096}}, func() {
				s.Client.Release(0)
				s.Direct.Write(1, 5, 0x20000, data)
			})
		}},
		"never given": {"rdma/out-of-bounds", nil, func(s *direct) { s.Direct.Write(1, 6, 0x10000, data) }},

		// rdma/inline
		"inline": {"rdma/inline", nil, func(s *direct) { s.Client.Write(s.file, 0, make([]byte, 8192)) }},
		"signed": {"rdma/inline", nil, func(s *direct) {
			s.Client.Flags = 8
			s.Client.Read(s.file, 0, make([]byte, 8192))
		}},
		"little": {"", nil, func(s *direct) { s.Client.Write(s.file, 0, make([]byte, 8191)) }},
		"by RDMA": {"", nil, func(s *direct) {
			s.ReadDirect(s.file, 0, 1, region(5, 8192), func() { s.Direct.Write(1, 5, 0x10000, make([]byte, 8192)) })
		}},
	} {
		c := new(flowtest.Capture)
		d := c.Pair("10.0.0.1", "10.0.0.9")
		if test.begin != nil {
			test.begin(d)
		}
		d.Negotiate()
		s := &direct{Client: d.Client(), Direct: d}
		s.Setup(share)
		s.file = s.Client.Open("file", mib)
		test.play(s)
		rules := map[string]bool{}
		for _, f := range Judge(analyse(c)) {
			rules[f.Rule] = true
			if rule, _ := Find(f.Rule); f.Level != rule.Level || f.Uncertain != "" {
				t.Errorf("%s: %+v", name, f)
			}
		}
		var got []string
		for rule := range rules {
			got = append(got, rule)
		}
		slices.Sort(got)
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

// elsewhere lets time pass with a frame of another connection at its end.
func (s *direct) elsewhere(d time.Duration) {
	s.wait(d)
	s.Direct.Knock("10.0.0.3:50000", "10.0.0.4:80")
}

// TestLedgerUnknown: what the capture lacks may have brought credits.
func TestLedgerUnknown(t *testing.T) {
	for name, play := range map[string]func(c *flowtest.Capture, d *flowtest.Direct){
		"lost": func(c *flowtest.Capture, d *flowtest.Direct) {
			d.Transfer(0, 0, nil)
			c.Drop(2)
		},
		"late": func(c *flowtest.Capture, d *flowtest.Direct) { c.Packets = nil },
	} {
		c := new(flowtest.Capture)
		d := c.Pair("10.0.0.1", "10.0.0.9")
		d.Limits[0].Credits, d.Limits[1].Credits = 3, 3
		d.Negotiate()
		s := d.Client()
		s.Setup(share)
		play(c, d)
		for range 40 {
			d.Grant = 0
			d.Transfer(1, 0, nil)
			d.Grant = 0
			d.Transfer(0, 0, nil)
		}
		for _, f := range Judge(analyse(c)) {
			if f.Level != flows.Note {
				t.Errorf("%s: %+v", name, f)
			}
		}
	}
}
