package flows

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/odxray/odxray/captures"
	"github.com/odxray/odxray/dissect/filter"
	"github.com/odxray/odxray/dissect/inet"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/rdma/iwarp"
)

// Options of a Capture.
type Options struct {
	Index      bool     // keep what random access needs: Row, Detail, Exchange
	Ports      []uint16 // TCP ports that carry the session service beside 139 and 445
	MPAPorts   []uint16 // TCP ports that carry iWARP beside 5445
	Judge      func(*Results) []Finding
	Window     Window
	Keys       *Keys          // for signatures and what is encrypted; may be nil
	Digits     int            // of fractions of a second in rows; 0 leaves it to the file
	MaxMemory  uint64         // bytes that what is known may take, roughly; 0 for no limit
	Forget     int            // of what is over (connections, sessions, copies, tokens) keep so many of each, roughly; 0 for all
	Bare       bool           // rows that List yields have only Frame, Time, Length and Marks: for who prints fields
	Filter     *filter.Filter // what is looked at, beside Window; nil for all
	FieldsOnly bool           // beside what List yields nobody asks for anything: Results need not say what messages mean
}

// Ports reads rules of the form "tcp.port==N,nbss" or "tcp.port==N,iwarp_mpa", as tshark's
// -d has them, and returns the ports that they send to the session service, and to iWARP.
func Ports(rules []string) (ports, mpa []uint16, err error) {
	for _, r := range rules {
		number, found := strings.CutPrefix(strings.ReplaceAll(r, " ", ""), "tcp.port==")
		number, protocol, _ := strings.Cut(number, ",")
		n, err := strconv.ParseUint(number, 10, 16)
		switch {
		case found && err == nil && protocol == "nbss":
			ports = append(ports, uint16(n))
		case found && err == nil && protocol == "iwarp_mpa":
			mpa = append(mpa, uint16(n))
		default:
			return nil, nil, fmt.Errorf("%q is not of the form tcp.port==N,nbss or tcp.port==N,iwarp_mpa", r)
		}
	}
	return ports, mpa, nil
}

// Capture is a capture and what is known of it. One goroutine calls Run or List,
// once; all other methods may be called from any goroutine meanwhile.
type Capture struct {
	o       Options
	source  captures.Source
	results atomic.Pointer[Results]
	asked   atomic.Bool  // for Results since they were made
	first   atomic.Int64 // time of the first frame; 0 before it

	waiting atomic.Int32 // goroutines that want mu
	mu      sync.Mutex   // guards what follows; held for a batch of packets at a time, or until somebody waits
	a       *Analyzer
	look    frameView // of random access
	packet  captures.Packet
	again   unit
	framer  iwarp.Framer
	segment iwarp.Segment
	err     error
	done    bool

	idle    func() bool // may be nil; see WhenIdle
	within  frames      // of Options.Window
	several bool        // files
	origins []origin    // of frames, if so
}

// Open opens capture files as one timeline. "-" is standard input.
func Open(paths []string, o Options) (*Capture, error) {
	r, err := captures.OpenFiles(paths, captures.Options{Random: o.Index})
	if err != nil {
		return nil, err
	}
	c := New(r, o)
	c.several = len(paths) > 1
	return c, nil
}

// New returns a Capture that reads from r, and closes it.
func New(r captures.Source, o Options) *Capture {
	c := &Capture{o: o, source: r, a: NewAnalyzer(o)}
	c.results.Store(&Results{})
	return c
}

// origin is where a frame of a timeline of several files came from.
type origin struct{ file, number int32 }

// Origin says which frame of which file, counted from 0, frame n of the timeline is.
func (c *Capture) Origin(n int) (file, frame int) {
	c.enter()
	defer c.mu.Unlock()
	if n < 1 || n > len(c.origins) { // of a single file
		return 0, n
	}
	o := c.origins[n-1]
	return int(o.file), int(o.number)
}

// publishEvery is how often a running pass lets the outside see its Results, if
// somebody looks at them: making them costs more the more there is in them. No more
// than a part of the time, one in publishShare, goes into that.
const (
	publishEvery = 100 * time.Millisecond
	publishShare = 10
)

// WhenIdle has f called whenever all that was read has been taken, before more is read,
// which may be long in coming: for who holds back what it makes of rows. false stops, as it
// does a row. To be called before Run or List.
func (c *Capture) WhenIdle(f func() bool) { c.idle = f }

// Run reads the capture to its end, or until ctx is done. What could not be read is
// the error and a line of Results.Problems; what was readable has been analysed.
func (c *Capture) Run(ctx context.Context) error {
	if c.o.Filter != nil {
		return c.list(ctx, nil, nil, true, func(*Row) bool { return true })
	}
	return c.run(ctx, func(p *captures.Packet) bool { c.a.Packet(p); return true })
}

// List is Run that yields every frame that Options.Filter is true for: its row, and its
// fields in tree if that is not nil, with what the filter looks at beside what tree
// wants. Both are valid until yield returns; false stops. Frames that want is false for
// are analysed and not yielded; nil wants all.
func (c *Capture) List(ctx context.Context, tree *wire.Tree, want func(frame int) bool, yield func(*Row) bool) error {
	return c.list(ctx, tree, want, c.o.Bare, yield)
}

func (c *Capture) list(ctx context.Context, tree *wire.Tree, want func(frame int) bool, bare bool, yield func(*Row) bool) error {
	f := c.o.Filter
	if f != nil {
		tree = filtered(tree, f)
	}
	v := newView(tree)
	if bare {
		v.only(tree.Want)
		c.a.light = c.o.FieldsOnly && v.smb.HeaderOnly && c.a.keys == nil && c.a.index == nil
	}
	c.a.gatherAll = want != nil || f != nil && f.LooksAtData() || tree != nil && tree.Want != nil && tree.Want.Any(smb2.DataFields())
	c.a.talks = tree != nil && tree.Want.Any(inet.TalkFields())
	return c.run(ctx, func(p *captures.Packet) bool {
		if !c.o.Window.meets(p.Time, p.Time, c.First()) || want != nil && !want(int(c.a.frame)+1) {
			c.a.view = nil
			c.a.Packet(p)
			return true
		}
		if tree != nil {
			tree.Reset()
		}
		c.a.view = v
		c.a.Packet(p)
		if f != nil {
			if !f.Match(tree) {
				return true
			}
			c.within.pick(int(c.a.frame))
		}
		v.end(c.a.marks, c.a.part)
		return yield(&v.row)
	})
}

func (c *Capture) run(ctx context.Context, packet func(*captures.Packet) bool) error {
	var b captures.Batch
	var err error
	next := time.Now().Add(publishEvery)
	// A read of a pipe may be stuck when somebody loses patience: show what is known.
	defer context.AfterFunc(ctx, func() { c.publish(false) })()
	for more := true; more; {
		if err = ctx.Err(); err != nil {
			break
		}
		if err = c.source.ReadBatch(&b); err != nil {
			break
		}
		if c.first.Load() == 0 && len(b.Packets) > 0 {
			c.first.Store(b.Packets[0].Time)
		}
		more = c.take(b.Packets, packet)
		b.Release()
		if c.idle != nil && !c.idle() {
			more = false
		}
		if now := time.Now(); now.After(next) && c.asked.Swap(false) {
			c.publish(false)
			took := time.Since(now)
			next = now.Add(max(publishEvery, publishShare*took))
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	c.mu.Lock()
	c.a.Flush()
	c.err, c.done = err, true
	c.mu.Unlock()
	c.publish(true)
	return err
}

// enter locks mu for somebody who looks: the pass lets go of it after a few packets, and
// not at the end of a batch, because many looks make a page.
func (c *Capture) enter() {
	c.waiting.Add(1)
	c.mu.Lock()
	c.waiting.Add(-1)
}

// lookEvery is after how many packets a pass asks whether anybody wants to look.
const lookEvery = 32

// letIn has everybody who waits for mu have it first. The caller holds it.
func (c *Capture) letIn() {
	if c.waiting.Load() == 0 {
		return
	}
	c.mu.Unlock()
	for c.waiting.Load() > 0 {
		runtime.Gosched()
	}
	c.mu.Lock()
}

// take analyses a batch of packets, until packet returns false.
func (c *Capture) take(batch []captures.Packet, packet func(*captures.Packet) bool) (more bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range batch {
		if i%lookEvery == lookEvery-1 {
			c.letIn()
		}
		p := &batch[i]
		if c.several {
			c.origins = append(c.origins, origin{int32(p.File), int32(p.InFile)})
		}
		if c.o.Filter == nil && c.o.Window.meets(p.Time, p.Time, c.First()) {
			c.within.see(int(c.a.frame) + 1)
		}
		if !packet(p) {
			return false
		}
	}
	return true
}

// publish makes a Results of what is known.
func (c *Capture) publish(done bool) {
	c.mu.Lock()
	if c.done && !done {
		c.mu.Unlock()
		return // the last word has been said
	}
	c.a.ended = done
	r := c.a.Results()
	if r.Done = done; done && c.err != nil {
		r.Unread = true
		problem := c.err.Error()
		if errors.Is(c.err, context.Canceled) {
			problem = "the rest of the capture: reading was interrupted"
		}
		r.Problems = append(r.Problems, problem)
		r.Incomplete = true
	}
	c.mu.Unlock()
	if c.o.Judge != nil {
		r.Findings = c.o.Judge(r)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.o.Window != (Window{}) || c.o.Filter != nil {
		r.within(c.within)
	}
	if done || !c.done { // else the last word has been said
		c.results.Store(r)
	}
}

// Results returns what the pass has found: new ones some ten times a second, for who
// goes on asking.
func (c *Capture) Results() *Results {
	c.asked.Store(true)
	return c.results.Load()
}

// First returns the time of the first frame, in nanoseconds since 1970 UTC; 0 if
// none was read. It answers also while a pass yields.
func (c *Capture) First() int64 { return c.first.Load() }

// Frames returns how many frames are indexed. Only with Options.Index.
func (c *Capture) Frames() int {
	c.enter()
	defer c.mu.Unlock()
	return c.a.index.frames.n
}

// Row fills r for frame n, counted from 1. Only with Options.Index.
func (c *Capture) Row(n int, r *Row) error {
	c.enter()
	defer c.mu.Unlock()
	err := c.draw(&c.look, n, nil)
	*r = c.look.row
	return err
}

// Detail fills tree with the fields of frame n. Only with Options.Index.
func (c *Capture) Detail(n int, tree *wire.Tree) error {
	c.enter()
	defer c.mu.Unlock()
	tree.Reset()
	return c.draw(&c.look, n, tree)
}

// draw has v look at frame n again, into tree if that is not nil. The caller holds mu.
func (c *Capture) draw(v *frameView, n int, tree *wire.Tree) error {
	ix := c.a.index
	f, err := ix.kept(n)
	if err != nil {
		return err
	}
	err = c.source.At(int64(f.pos&(1<<posBits-1)), &c.packet)
	if err != nil {
		return err
	}
	v.tree = tree
	if tree != nil && !v.bare { // somebody keeps the tree, with the bytes that it shows
		c.packet.Data, v.arena = append([]byte(nil), c.packet.Data...), nil
	}
	v.begin(&c.packet, uint32(n), nil)
	if v.whole = ix.datagram(c.source, uint32(n)); v.whole != nil {
		joined(v.whole, v.headers)
	}
	v.ctx.FirstTime, v.ctx.PrevTime = c.a.first, c.a.first
	if n > ix.frames.gone+1 {
		v.ctx.PrevTime = ix.frames.at(n - 2).time
	}
	if f.conn != 0 {
		_, dir := keyOf(v.headers)
		ix.describe(f, uint32(n), &v.ctx, dir)
		v.conn = f.conn
		if tree != nil && tree.Want.Any(inet.TalkFields()) {
			if err := ix.review(c.source, &v.ctx, v.headers); err != nil {
				return err
			}
		}
	}
	v.layers(&c.packet)
	v.roce()
	last := ix.messages.n
	if n < ix.frames.n {
		last = int(ix.frames.at(n).first)
	}
	batch, marks := c.a.batch[:0], ix.marks(f)
	all, framed := last, false // messages after last are in units of iWARP
	if f.conn != 0 {
		if x := ix.conns.at(int(f.conn) - 1); x.framed(uint32(n)) {
			framed, last = true, max(int(f.first), min(last, int(x.plain)))
		}
	}
	send := ix.sendsIn(uint32(n))
	for i := int(f.first); i < last; {
		batch = batch[:0]
		m := ix.messages.at(i)
		for ; i < last && (len(batch) == 0 || ix.messages.at(i).chain > 0); i++ {
			g := ix.messages.at(i)
			batch = append(batch, delivered{g.x, g.facts&isResponse != 0, g.facts&isInterim != 0})
		}
		conn := f.conn
		if conn == 0 { // of no TCP connection
			if send, conn, err = c.direct(v, send); err != nil {
				return err
			}
			c.again.lost = m.facts&hasLoss != 0
		} else if v.shallow {
			continue
		} else if err = c.gather(v, f, m); err != nil {
			return err
		}
		if m.facts&isMade != 0 {
			c.remake(v, conn, int(m.dir))
		}
		v.conn = conn
		v.unit(c.a, &c.again, batch)
		marks |= c.a.marksOf(batch)
	}
	if framed {
		more, err := c.drawMPA(v, uint32(n), f, last, all)
		v.end(marks|more, f.pos&partBit != 0)
		return err
	}
	for send < ix.sends.n && ix.sends.at(send).frame == uint32(n) {
		if send, _, err = c.direct(v, send); err != nil {
			return err
		}
	}
	v.end(marks, f.pos&partBit != 0)
	return nil
}

// direct shows the messages of SMB Direct from number i on, up to the first with which an
// SMB message is whole, which it fills c.again with. It returns what comes next, and the
// connection.
func (c *Capture) direct(v *frameView, i int) (next int, conn uint32, err error) {
	ix := c.a.index
	for ; i < ix.sends.n && ix.sends.at(i).frame == v.ctx.Frame; i++ {
		s := ix.sends.at(i)
		b, size, err := ix.resend(c.source, s.parts, uint32(s.nParts), false)
		if err != nil {
			return i, 0, err
		}
		v.direct(b, size, s.kind)
		if s.nAll > 0 {
			u := &c.again
			*u = unit{bare: true}
			u.b, u.size, err = ix.resend(c.source, s.all, s.nAll, true)
			return i + 1, s.conn, err
		}
	}
	return i, 0, nil
}

// gather fills c.again with the session-service frame of m, which ends in frame f, that
// v looks at.
func (c *Capture) gather(v *frameView, f *indexedFrame, m *indexedMessage) error {
	u := &c.again
	*u = unit{size: int(m.size), first: m.first, off: m.off, lost: m.facts&hasLoss != 0}
	start := c.a.index.conns.at(int(f.conn) - 1).start[m.dir] + uint32(m.off)
	if m.first == m.last {
		if d := int(start - v.headers.Seq); d >= 0 && d+u.size <= len(v.headers.Payload) {
			u.b = v.headers.Payload[d : d+u.size]
			return nil
		}
	}
	return c.a.index.regather(c.source, u, f.conn, start, m, maxGather)
}

// remake decrypts and decompresses c.again as it was before.
func (c *Capture) remake(v *frameView, id uint32, dir int) {
	u, on, d := &c.again, c.a.byID[id], &v.smb
	var cur wire.Cursor
	u.cursor(&cur, u.lead(), nil)
	if smb2.ProtocolOf(&cur) == smb2.ProtocolTransform {
		h := d.Transform(&cur, nil)
		u.plain = c.a.reopen(id, h.SessionID, h, on != nil && on.server == dir)
		cur = wire.New(u.plain, nil)
	}
	u.regrow(on, &cur, d)
}

// Exchanges returns how many exchanges are indexed. Only with Options.Index.
func (c *Capture) Exchanges() int {
	c.enter()
	defer c.mu.Unlock()
	return c.a.exchanges.list.n - 1
}

// Exchange fills x with the exchange at position i, counted from 0. Only with
// Options.Index.
func (c *Capture) Exchange(i int, x *Exchange) {
	c.enter()
	defer c.mu.Unlock()
	if i+1 < c.a.exchanges.list.gone {
		*x = Exchange{ID: i + 1, Uncertain: "it was forgotten for want of memory"}
		return
	}
	c.a.exchange(uint32(i+1), x)
}

// ExchangesOf lists the positions of the exchanges whose messages end in frame n.
// Only with Options.Index.
func (c *Capture) ExchangesOf(n int) (list []int) {
	c.enter()
	defer c.mu.Unlock()
	ix := c.a.index
	if n <= ix.frames.gone || n > ix.frames.n {
		return nil
	}
	last := ix.messages.n
	if n < ix.frames.n {
		last = int(ix.frames.at(n).first)
	}
	for i := int(ix.frames.at(n - 1).first); i < last; i++ {
		if x := ix.messages.at(i).x; x != 0 {
			list = append(list, int(x)-1)
		}
	}
	return list
}

// EachExchange yields the exchanges that Options.Filter is true for, in order of
// completion, unanswered ones last, during a pass of its own.
func (c *Capture) EachExchange(ctx context.Context, yield func(*Exchange) bool) error {
	var x Exchange
	more := true
	t := newTogether(c.o.Filter)
	c.a.onExchange = func(i uint32) {
		if more {
			c.a.exchange(i, &x)
			if c.o.Window.meets(cmp.Or(x.RequestTime, x.AnswerTime), max(x.RequestTime, x.AnswerTime), c.First()) && t.match(i) {
				more = yield(&x)
			}
		}
		t.forget(i)
	}
	if t != nil {
		c.a.view, c.a.gatherAll = t.view, c.o.Filter.LooksAtData()
	}
	return c.run(ctx, func(p *captures.Packet) bool {
		t.reset()
		c.a.Packet(p)
		return more
	})
}

// Selects reports whether frame n has been found to lie within Options.Window and
// Options.Filter.
func (c *Capture) Selects(n int) bool {
	c.enter()
	defer c.mu.Unlock()
	return c.within.meets(n, n)
}

// Info describes the file.
func (c *Capture) Info() captures.FileInfo {
	c.enter()
	defer c.mu.Unlock()
	return c.source.Info()
}

// Dropped returns how many packets the capture says that it lost.
func (c *Capture) Dropped() uint64 { return c.Info().Dropped }

// Progress returns how many bytes of the files have been read, and how many there
// are; 0 if unknown.
func (c *Capture) Progress() (done, size int64) { return c.source.Progress() }

// Close ends everything.
func (c *Capture) Close() error { return c.source.Close() }
