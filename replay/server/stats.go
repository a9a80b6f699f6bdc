package server

import (
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"time"

	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/smb2"
)

// counters are what the server has done so far.
type counters struct {
	connections, refused, logons, logonFailures, messages atomic.Int64
	bytesRead, bytesWritten                               atomic.Int64
	minted, offloaded, copied, cloned, breaks             atomic.Int64

	commands [smb2.OplockBreak + 1]struct{ done, failed, nanoseconds atomic.Int64 }
}

func (c *counters) done(cmd smb2.Command, took time.Duration) {
	if int(cmd) < len(c.commands) {
		c.commands[cmd].done.Add(1)
		c.commands[cmd].nanoseconds.Add(int64(took))
	}
}

func (c *counters) failed(cmd smb2.Command) {
	if int(cmd) < len(c.commands) {
		c.commands[cmd].failed.Add(1)
	}
}

// Metrics writes what the server has done so far, one line a number, in the form that
// Prometheus reads.
func (s *Server) Metrics(w io.Writer) error {
	var b strings.Builder
	c := &s.stats
	s.mu.Lock()
	conns, sessions, opens, tokens, locks := len(s.conns), len(s.sessions), s.opens, len(s.tokens.all), s.locks
	s.mu.Unlock()
	for _, m := range []struct {
		name string
		v    int64
	}{
		{"connections", int64(conns)}, {"sessions", int64(sessions)}, {"opens", int64(opens)}, {"locks", int64(locks)}, {"tokens", int64(tokens)},
		{"connections_total", c.connections.Load()}, {"connections_refused_total", c.refused.Load()},
		{"logons_total", c.logons.Load()}, {"logon_failures_total", c.logonFailures.Load()},
		{"bytes_read_total", c.bytesRead.Load()}, {"bytes_written_total", c.bytesWritten.Load()},
		{"tokens_minted_total", c.minted.Load()}, {"bytes_offloaded_total", c.offloaded.Load()},
		{"bytes_copychunk_total", c.copied.Load()}, {"bytes_duplicated_total", c.cloned.Load()},
		{"oplock_breaks_total", c.breaks.Load()},
	} {
		fmt.Fprintf(&b, "odxray_%s %d\n", m.name, m.v)
	}
	for i := range c.commands {
		x := &c.commands[i]
		if n := x.done.Load(); n > 0 {
			label := fmt.Sprintf("{command=%q}", strings.ToUpper(smb2.Command(i).Name()))
			fmt.Fprintf(&b, "odxray_requests_total%s %d\nodxray_requests_failed_total%s %d\nodxray_requests_seconds_total%s %.6f\n",
				label, n, label, x.failed.Load(), label, time.Duration(x.nanoseconds.Load()).Seconds())
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// trace logs a request that people follow copies by: those that open, close or copy.
func (r *request) trace(st status) {
	if !r.c.s.cfg.Trace && (st == ntstatus.Success || !st.IsError()) {
		return
	}
	switch st {
	case ntstatus.MoreProcessingRequired, ntstatus.NoMoreFiles, ntstatus.NoSuchFile:
		if !r.c.s.cfg.Trace {
			return
		}
	}
	name := ""
	if o := r.file; o != nil && o.file != nil {
		name = " " + windowsPath(o.file.name(), o.file.stream)
	}
	r.c.logf("%v%s%s: %v", r.h.Command, r.detail, name, st)
}

// Summary says in a line what the server has done; size words a number of bytes.
func (s *Server) Summary(size func(uint64) string) string {
	c := &s.stats
	bytes := func(v *atomic.Int64) string { return size(uint64(v.Load())) }
	requests := int64(0)
	for i := range c.commands {
		requests += c.commands[i].done.Load()
	}
	return fmt.Sprintf("%d connections, %d logons, %d requests; %s read, %s written, %s offloaded with %d tokens, %s by copychunk, %s by duplicate extents",
		c.connections.Load(), c.logons.Load(), requests, bytes(&c.bytesRead), bytes(&c.bytesWritten),
		bytes(&c.offloaded), c.minted.Load(), bytes(&c.copied), bytes(&c.cloned))
}
