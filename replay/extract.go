package replay

// A plan from a capture: one walk over its messages in the order of their frames, with
// the slots that are valid at each.

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/odxray/odxray/dissect/auth"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/flows"
)

// maxSteps bounds a plan: it is held in memory.
const maxSteps = 1 << 20

// Extract makes a plan of what c holds. c has been read to its end, with an index.
func Extract(c *flows.Capture) (*Plan, error) {
	x := extraction{
		plan: &Plan{users: make(map[int]string)}, capture: c, results: c.Results(),
		byExchange: make(map[int]int), current: make(map[slotKey]int), numbers: make(map[SlotKind]int),
		conns: make(map[int]int), closed: make(map[int]int), logins: make(map[loginKey]int), pipes: make(pipes), open: make(map[int][]int),
	}
	for i := range x.results.Connections {
		k := &x.results.Connections[i]
		x.conns[k.ID] = len(x.plan.Conns)
		x.plan.Conns = append(x.plan.Conns, Conn{
			ID: k.ID, Host: k.Host, Client: k.Client, Server: k.Server, Dialect: k.Dialect, RDMA: k.Transport != flows.TCP,
		})
		if k.EndTime != 0 {
			x.ends = append(x.ends, connEnd{conn: len(x.plan.Conns) - 1, time: max(k.EndTime, k.LastTime)})
		}
	}
	// The messages first, as their bytes are valid only for a moment.
	var sent []message
	err := c.EachMessage(func(m *flows.Message) bool {
		if m.Closed {
			x.closed[m.Conn]++
			return true
		}
		held := *m
		held.Bytes = bytes.Clone(m.Bytes)
		sent = append(sent, message{Message: held})
		return len(sent) < 2*maxSteps
	})
	if err != nil {
		return nil, err
	}
	if len(sent) == 2*maxSteps {
		x.problem("the capture holds more messages than a plan does: what comes after the first %d is left out", len(sent))
	}
	slices.SortStableFunc(x.ends, func(a, b connEnd) int { return cmp.Compare(a.time, b.time) })
	if x.moved, err = moved(c); err != nil {
		return nil, err
	}
	for i := range sent {
		x.ended(sent[i].Time)
		x.message(&sent[i])
	}
	x.ended(math.MaxInt64)
	x.finish()
	x.plan.order()
	return x.plan, nil
}

type message struct{ flows.Message }

// slotKey is how a message names what a slot stands for.
type slotKey struct {
	kind  SlotKind
	scope int // the server's host, or the slot of the session
	value string
}

type loginKey struct{ conn, session int }

// extraction is the state of Extract.
type extraction struct {
	plan    *Plan
	capture *flows.Capture
	results *flows.Results

	byExchange map[int]int // Step.ID
	current    map[slotKey]int
	numbers    map[SlotKind]int
	conns      map[int]int      // index in plan.Conns, by Connection.ID
	closed     map[int]int      // messages that stay encrypted, by Connection.ID
	logins     map[loginKey]int // the log-on at hand: Step.ID
	chain      chain            // the request before, for compounds
	pipes      pipes
	ends       []connEnd      // that are to come
	open       map[int][]int  // by index in plan.Conns, the files that were opened there
	accounts   []int          // slots
	moved      map[int][]byte // by RDMA, by Exchange.ID
	d          decoder
}

// connEnd is the end of a connection.
type connEnd struct {
	conn int // index in Plan.Conns
	time int64
}

// ended adds the ends of connections before a time.
func (x *extraction) ended(before int64) {
	for len(x.ends) > 0 && x.ends[0].time < before {
		e := x.ends[0]
		x.ends = x.ends[1:]
		g := Group{Conn: e.conn, Ends: true, Sent: e.time, Done: e.time}
		for _, slot := range x.open[e.conn] {
			if x.plan.Slots[slot].Dies == 0 {
				g.Closes = append(g.Closes, slot)
			}
		}
		delete(x.open, e.conn)
		x.plan.Groups = append(x.plan.Groups, g)
	}
}

// chain is where the requests of a compound are.
type chain struct{ conn, frame, step, session, tree, file int }

func (x *extraction) problem(format string, args ...any) {
	x.plan.Problems = append(x.plan.Problems, fmt.Sprintf(format, args...))
}

// slot returns the slot of a value, which it makes if there is none.
func (x *extraction) slot(kind SlotKind, scope int, value []byte, parent int) int {
	k := slotKey{kind, scope, string(value)}
	if i, ok := x.current[k]; ok {
		return i
	}
	return x.define(kind, scope, value, parent, 0)
}

// define makes a slot for a value, whatever the value stood for before.
func (x *extraction) define(kind SlotKind, scope int, value []byte, parent, step int) int {
	x.numbers[kind]++
	i := len(x.plan.Slots)
	x.plan.Slots = append(x.plan.Slots, Slot{
		Kind: kind, Number: x.numbers[kind], Old: bytes.Clone(value), Defined: step, Parent: parent, Host: scope, Late: step == 0 && !kind.ours(),
	})
	x.current[slotKey{kind, scope, string(value)}] = i
	return i
}

func (x *extraction) message(m *message) {
	on, ok := x.conns[m.Conn]
	if !ok {
		return
	}
	h, ok := readHeader(m.Bytes)
	if !ok {
		return
	}
	if m.FromServer {
		if m.Exchange < 0 {
			x.broken(m, on)
		} else if !m.Interim {
			x.answer(m)
		}
		return
	}
	if len(x.plan.Steps) < maxSteps {
		x.request(m, on, h)
	}
}

// request adds a step.
func (x *extraction) request(m *message, on int, h Header) {
	p := x.plan
	s := Step{
		ID: len(p.Steps) + 1, Position: m.Position, Header: h, Request: m.Bytes, Size: m.Size, Session: -1, Tree: -1, Previous: -1, Sealed: m.Encrypted, exchangeIndex: m.Exchange,
	}
	if m.Exchange >= 0 {
		x.capture.MessageContext(m.Exchange, &s.Context)
		if h.Command == smb2.Cancel {
			s.Cancel = x.byExchange[m.Exchange]
			s.Exchange = flows.Exchange{Conn: m.Conn, Command: smb2.Cancel, RequestFrame: m.Frame, RequestTime: m.Time, MessageID: h.MessageID}
		} else {
			x.capture.Exchange(m.Exchange, &s.Exchange)
			x.byExchange[m.Exchange] = s.ID
			s.Data = x.moved[s.Exchange.ID]
		}
	} else {
		s.Exchange = flows.Exchange{Conn: m.Conn, Command: h.Command, RequestFrame: m.Frame, RequestTime: m.Time, MessageID: h.MessageID}
	}
	inChain := m.Position > 0 && x.chain.conn == on && x.chain.frame == m.Frame
	if !inChain {
		x.chain = chain{conn: on, frame: m.Frame, session: -1, tree: -1, file: -1}
		p.Groups = append(p.Groups, Group{Conn: on, Sent: m.Time})
	}
	s.Group = len(p.Groups) - 1
	x.owners(&s, on, inChain)
	p.Groups[s.Group].Steps = append(p.Groups[s.Group].Steps, s.ID)
	list, decoded := x.d.locate(s.Request, s.Size, &s.Context)
	for _, f := range list {
		x.use(&s, f, p.Conns[on].Host)
	}
	x.requestFacts(&s, decoded, on)
	x.presented(&s)
	x.snapshot(&s)
	x.acknowledgment(&s)
	if len(s.Request) >= headerSize+56 || s.Header.Command == smb2.SetInfo {
		x.named(&s, p.Conns[on].Host)
	}
	x.chain.step, x.chain.session, x.chain.tree = s.ID, s.Session, s.Tree
	if s.Size > len(s.Request) {
		s.Missing = append(s.Missing, flows.Range{Start: uint64(len(s.Request)), End: uint64(s.Size)})
	}
	p.Steps = append(p.Steps, s)
}

// owners finds the session and the tree that a request is of.
func (x *extraction) owners(s *Step, on int, inChain bool) {
	h := &s.Header
	host := x.plan.Conns[on].Host
	var b [8]byte
	related := inChain && h.Flags&smb2.FlagRelated != 0
	switch {
	case related && h.SessionID == ^uint64(0):
		s.Session = x.chain.session
	case h.SessionID != 0 && h.Command != smb2.Negotiate:
		le.PutUint64(b[:], h.SessionID)
		s.Session = x.slot(SlotSession, host, b[:], -1)
	}
	switch {
	case related && h.TreeID == ^uint32(0):
		s.Tree = x.chain.tree
	case s.Session >= 0 && h.Flags&smb2.FlagAsync == 0 && x.needsTree(s):
		le.PutUint32(b[:], h.TreeID)
		s.Tree = x.slot(SlotTree, s.Session, b[:4], s.Session)
	}
}

// needsTree reports whether a request is one on a tree.
func (x *extraction) needsTree(s *Step) bool {
	switch s.Header.Command {
	case smb2.Negotiate, smb2.SessionSetup, smb2.Logoff, smb2.TreeConnect, smb2.Echo, smb2.Cancel:
		return false
	case smb2.OplockBreak:
		return s.Header.TreeID != 0
	}
	return true
}

// use notes a slot in a request.
func (x *extraction) use(s *Step, f found, host int) {
	if _, given := x.current[slotKey{f.kind, host, string(f.value)}]; f.kind == SlotToken && isZeros(f.value) && !given {
		return // anybody may present it without having been given it
	}
	parent := s.Tree
	if f.kind.ours() {
		parent = -1
	}
	i := x.slot(f.kind, host, f.value, parent)
	s.Uses = append(s.Uses, Use{i, f.off, len(f.value)})
}

// requestFacts keeps what the body says that ordering and log-on need.
func (x *extraction) requestFacts(s *Step, m *smb2.Message, on int) {
	switch body := m.Body.(type) {
	case *smb2.NegotiateRequest:
		if x.plan.Conns[on].Negotiate == 0 {
			x.plan.Conns[on].Negotiate = s.ID
		}
	case *smb2.SessionSetupRequest:
		var previous [8]byte
		le.PutUint64(previous[:], body.PreviousSessionID)
		if slot, ok := x.current[slotKey{SlotSession, x.plan.Conns[on].Host, string(previous[:])}]; ok && body.PreviousSessionID != 0 {
			s.Previous = slot
		}
		k := loginKey{on, s.Session}
		if first := x.logins[k]; first != 0 {
			s.Login = first
		} else {
			s.Login = s.ID
			x.logins[k] = s.ID
		}
		if m := &body.Auth.NTLM; m.Type == auth.NTLMAuthenticate {
			x.plan.users[s.Login] = strings.ToLower(m.User.String())
		}
	}
}

// answer adds the answer to the step that it is of.
func (x *extraction) answer(m *message) {
	id := x.byExchange[m.Exchange]
	if id == 0 {
		return // to a request before the capture
	}
	p := x.plan
	s := p.Step(id)
	s.Answer, s.AnsSize, s.Bare = m.Bytes, m.Size, !m.Encrypted
	g := &p.Groups[s.Group]
	g.Done = max(g.Done, m.Time)
	x.capture.MessageContext(m.Exchange, &s.Context)
	h, _ := readHeader(m.Bytes)
	host := p.Conns[g.Conn].Host
	ok := statusOf(m.Bytes) == 0
	switch s.Header.Command {
	case smb2.SessionSetup:
		x.loggedOn(s, h, host, ok)
	case smb2.TreeConnect:
		if ok && s.Session >= 0 {
			var b [4]byte
			le.PutUint32(b[:], h.TreeID)
			s.Tree = x.define(SlotTree, s.Session, b[:], s.Session, id)
			t := &p.Slots[s.Tree]
			t.Path, t.Pipe = s.Exchange.Share, len(m.Bytes) > headerSize+2 && m.Bytes[headerSize+2] == 2
		}
	case smb2.TreeDisconnect:
		x.dead(s.Tree, id, ok)
	case smb2.Logoff:
		x.dead(s.Session, id, ok)
	}
	list, _ := x.d.locate(s.Answer, s.AnsSize, &s.Context)
	for _, f := range list {
		x.brought(s, f, host)
	}
	x.offered(s)
	x.shown(s, host)
	if s.Header.Command == smb2.Close {
		for _, u := range s.Uses {
			x.dead(u.Slot, id, ok)
		}
	}
}

// loggedOn follows a log-on over its round trips.
func (x *extraction) loggedOn(s *Step, h Header, host int, ok bool) {
	on := x.plan.Groups[s.Group].Conn
	before := loginKey{on, s.Session}
	first := s.Login
	delete(x.logins, before)
	if h.SessionID != 0 && s.Session < 0 {
		var b [8]byte
		le.PutUint64(b[:], h.SessionID)
		s.Session = x.define(SlotSession, host, b[:], -1, s.ID)
	}
	if s.Session >= 0 {
		x.plan.Step(first).Session = s.Session
	}
	if statusOf(s.Answer) == 0xc0000016 { // it goes on
		x.logins[loginKey{on, s.Session}] = first
	}
}

// dead notes the end of a slot.
func (x *extraction) dead(slot, step int, ok bool) {
	if !ok || slot < 0 {
		return
	}
	x.plan.Slots[slot].Dies = step // who names it later means the same, which is gone
}

// brought notes a slot in an answer: new, or the same again.
func (x *extraction) brought(s *Step, f found, host int) {
	i := -1
	switch {
	case f.kind == SlotFile && s.Header.Command == smb2.Create, f.kind == SlotToken:
		i = x.define(f.kind, host, f.value, s.Tree, s.ID)
		x.plan.Slots[i].Path, x.plan.Slots[i].Known = s.Exchange.File, true
		if on := x.plan.Groups[s.Group].Conn; f.kind == SlotFile {
			x.open[on] = append(x.open[on], i)
		}
	case f.kind == SlotResumeKey, f.kind == SlotSnapshot:
		if old, known := x.current[slotKey{f.kind, host, string(f.value)}]; known && x.plan.Slots[old].Defined != 0 {
			i = old
			break
		}
		i = x.define(f.kind, host, f.value, s.Tree, s.ID)
	case f.kind == SlotFile:
		return // what an answer repeats is its request's
	default:
		return
	}
	if f.kind == SlotResumeKey || f.kind == SlotToken { // of the open that the request names
		for _, u := range s.Uses {
			if x.plan.Slots[u.Slot].Kind == SlotFile {
				x.plan.Slots[i].Parent = u.Slot
				x.plan.Slots[i].Path = x.plan.Slots[u.Slot].Path
			}
		}
	}
	s.Defines = append(s.Defines, Use{i, f.off, len(f.value)})
}

// broken keeps a break that the server sent.
func (x *extraction) broken(m *message, on int) {
	h, _ := readHeader(m.Bytes)
	if h.Command != smb2.OplockBreak {
		return
	}
	b := Break{Conn: on, Frame: m.Frame, Time: m.Time, Slot: -1}
	host := x.plan.Conns[on].Host
	switch body := x.d.decode(m.Bytes, m.Size, nil, slotWant).Body.(type) {
	case *smb2.OplockBreakNotification:
		b.Level = uint32(body.OplockLevel)
		if i, ok := x.current[slotKey{SlotFile, host, string(body.File[:])}]; ok {
			b.Slot = i
		}
	case *smb2.LeaseBreakNotification:
		b.Lease, b.Level = true, uint32(body.New)
		if i, ok := x.current[slotKey{SlotLease, host, string(body.Key[:])}]; ok {
			b.Slot = i
		}
	}
	b.Turn = 1
	for i := range x.plan.Breaks {
		if x.plan.Breaks[i].Slot == b.Slot {
			b.Turn++
		}
	}
	x.plan.Breaks = append(x.plan.Breaks, b)
}

// acknowledgment finds the break that a request acknowledges: the first of the slot that
// nothing has acknowledged.
func (x *extraction) acknowledgment(s *Step) {
	if s.Header.Command != smb2.OplockBreak || len(s.Uses) == 0 {
		return
	}
	for i := range x.plan.Breaks {
		if b := &x.plan.Breaks[i]; b.Slot == s.Uses[0].Slot && b.Ack == 0 {
			b.Ack, s.Break = s.ID, i+1
			return
		}
	}
}

// finish notes what only the end shows.
func (x *extraction) finish() {
	p := x.plan
	lost := make(map[int]bool) // by index in Conns, whether the capture lacks messages
	for i := range p.Conns {
		c := &p.Conns[i]
		k := &x.results.Connections[i]
		lost[i] = x.closed[c.ID] > 0 || k.LostBytes > 0 || k.CutFrames > 0
		if n := x.closed[c.ID]; n > 0 {
			x.problem("connection %d: %d messages are encrypted, and no key opens them: give --keys or the session's --session-key", c.ID, n)
		}
		if c.RDMA {
			x.problem("connection %d used SMB Direct: it is replayed over TCP, with the data in the messages", c.ID)
		}
	}
	x.paths()
	for i := range p.Steps {
		s := &p.Steps[i]
		for _, u := range s.Uses {
			p.Slots[u.Slot].LastUse = s.ID
		}
		for _, o := range []int{s.Session, s.Tree} {
			if o >= 0 {
				p.Slots[o].LastUse = s.ID
			}
		}
		if p.First == 0 || s.Exchange.RequestTime < p.First {
			p.First = s.Exchange.RequestTime
		}
	}
	p.bogus(lost)
	for i := range p.Steps {
		if s := &p.Steps[i]; s.Skip == "" {
			s.Skip = p.unable(s)
		}
	}
	slices.SortFunc(p.Problems, strings.Compare)
}

// bogus marks the slots that the captured server did not know: the client asked with an
// id that stands for nothing, and shall do so again. The first answer tells, or that the
// capture has the session from its beginning, and nothing that gave the id.
func (p *Plan) bogus(lost map[int]bool) {
	seen := make([]bool, len(p.Slots))
	for i := range p.Steps {
		s := &p.Steps[i]
		whole := s.Session >= 0 && p.Slots[s.Session].Defined != 0 && !lost[p.Groups[s.Group].Conn]
		for _, slot := range p.slotsOf(s) {
			k := &p.Slots[slot]
			switch {
			case !k.Late || seen[slot]:
			case k.Kind == SlotFile || k.Kind == SlotResumeKey:
				k.Bogus = whole && !k.Known || s.Answered() && ownFault[statusOf(s.Answer)]
			case s.Answered():
				k.Bogus = ownFault[statusOf(s.Answer)]
			}
			seen[slot] = seen[slot] || s.Answered()
		}
	}
}

// paths infers the names of files that were opened before the capture began.
func (x *extraction) paths() {
	p := x.plan
	for i := range p.Steps {
		s := &p.Steps[i]
		if s.Header.Command != smb2.QueryInfo || !s.Answered() || statusOf(s.Answer) != 0 {
			continue
		}
		for _, u := range s.Uses {
			slot := &p.Slots[u.Slot]
			if slot.Kind != SlotFile || !slot.Late || slot.Known {
				continue
			}
			x.d.decode(s.Answer, s.AnsSize, &s.Context, nil)
			for n := range x.d.tree.Nodes {
				if f := x.d.tree.Nodes[n].Field; f.Name == "smb2.filename" && strings.HasPrefix(x.d.tree.Value(n), `\`) {
					slot.Path, slot.Known = strings.TrimPrefix(x.d.tree.Value(n), `\`), true
				}
			}
		}
	}
}

// unable says why a step cannot be replayed; "" if it can.
func (p *Plan) unable(s *Step) string {
	switch {
	case s.Size > len(s.Request) && len(s.Request) < headerSize+bodyFixed(s.Header.Command):
		return "the capture holds only the beginning of the request"
	case s.Header.Command == smb2.Cancel && s.Cancel == 0:
		return "what it cancels is not in the capture"
	}
	for _, u := range s.Uses {
		slot := &p.Slots[u.Slot]
		if slot.Defined != 0 || slot.Kind.ours() || slot.Bogus {
			continue
		}
		switch {
		case slot.Kind == SlotFile && slot.Known:
		case slot.Kind == SlotFile:
			return "its file was opened before the capture began, or the capture cut that short, and nothing says which it is"
		default:
			return fmt.Sprintf("%s was obtained before the capture began", slot)
		}
	}
	return ""
}

// bodyFixed is how many bytes of a body have to be there at least.
func bodyFixed(c smb2.Command) int {
	if c == smb2.Write {
		return 48
	}
	return 2
}
