package captured

// What is kept of a capture: a line a request, and where its answer lies.

import (
	"fmt"
	"strings"

	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/replay/server"
)

// maxSteps bounds a Recording. A step takes about 140 bytes with what finds it.
const maxSteps = 1 << 22

// Recording is what a captured server was asked, in the order of the requests. It does
// not change once it is read.
type Recording struct {
	Problems []string // what of the capture cannot be served, in words
	Users    []string // who logged on

	capture *flows.Capture
	steps   []step
	byKey   map[key][]int32   // steps, in order
	reads   map[int32][]int32 // steps that read, by what they are about
	names   []string          // of files: what steps are about
	nameOf  map[string]int32
	conns   []connection
	breaks  map[int32][]notice // by the step that they came after
	shares  map[string]bool    // that clients connected to
	named   map[string]bool    // that they wanted to
	guests  bool               // somebody came in without a name

	// What was there before the capture began.
	lateTrees bool
	late      map[int32]bool // files, by their numbers in names
}

// step is a request and where its answer lies.
type step struct {
	key     key
	data    uint64 // meaning.data
	offset  uint64
	length  uint64
	took    int64 // nanoseconds up to the answer
	answer  int32 // its place in the capture; -1 if the capture shows none
	conn    int32 // index in conns
	frame   int32 // of the request
	about   int32 // index in names
	open    int32 // the step of the CREATE that opened its file; -1 if there is none, or none in the capture
	after   int32 // the answer came only after this later request; -1: at once
	kind    uint32
	status  smb2.Status
	command smb2.Command
	waited  bool // STATUS_PENDING came first
}

// connection is a captured connection.
type connection struct {
	id      int // flows.Connection.ID
	manner  *server.Manner
	offers  key  // of its NEGOTIATE
	encrypt bool // sessions on it had to
}

// notice is an oplock or lease break that the server sent.
type notice struct {
	conn  int32
	place int32
	open  int32 // of an oplock; -1 for a lease
}

// Read makes a Recording of a capture that was read to its end, with an index. The capture
// has to stay open as long as the Recording is used.
func Read(c *flows.Capture) (*Recording, error) {
	r := &reader{
		Recording: &Recording{
			capture: c, byKey: make(map[key][]int32), reads: make(map[int32][]int32), nameOf: make(map[string]int32), breaks: make(map[int32][]notice), shares: make(map[string]bool), named: make(map[string]bool), late: make(map[int32]bool),
		},
		conns: make(map[int]int32), hosts: make(map[int]int), exchanges: make(map[int]int32), trees: make(map[treeID]string), files: make(map[fileID]file), closed: make(map[int]int),
	}
	results := c.Results()
	for i := range results.Connections {
		k := &results.Connections[i]
		r.conns[k.ID], r.hosts[k.ID] = int32(len(r.Recording.conns)), k.Host
		r.Recording.conns = append(r.Recording.conns, connection{id: k.ID})
	}
	for i := range results.Sessions {
		if u := results.Sessions[i].User; u != "" {
			r.Users = append(r.Users, u)
		}
	}
	for i := range results.Connections {
		if results.Connections[i].LateStart {
			r.before()
			break
		}
	}
	err := c.EachMessage(func(m *flows.Message) bool {
		r.message(m)
		return len(r.steps) < maxSteps
	})
	if err != nil {
		return nil, err
	}
	r.finish()
	return r.Recording, nil
}

type treeID struct {
	host    int
	session uint64
	tree    uint32
}

type fileID struct {
	host int
	id   smb2.FileID
}

// file is an open of a captured client.
type file struct {
	about int32
	open  int32 // the step of its CREATE
}

// chained is where a compound is.
type chained struct {
	conn, frame int
	session     uint64
	tree        uint32
	file        file
	known       bool
}

// reader is the state of Read.
type reader struct {
	*Recording
	conns     map[int]int32 // by Connection.ID
	hosts     map[int]int
	exchanges map[int]int32 // steps, by Message.Exchange, until they are answered
	trees     map[treeID]string
	files     map[fileID]file
	early     map[int]string // files of exchanges, that were opened before the capture
	closed    map[int]int    // messages that stay encrypted, by Connection.ID
	cut       int            // answers that the capture does not hold whole
	direct    int            // READs whose data RDMA moved
	chain     chained
	dec       smb2.Decoder
}

// before finds the names of files that were opened before the capture began.
func (r *reader) before() {
	r.early = make(map[int]string)
	for i := range r.capture.Exchanges() {
		var x smb2.Context
		if r.capture.MessageContext(i, &x); x.OpenFrame == 0 && x.File != "" {
			r.early[i] = strings.ToLower(strings.Trim(x.File, `\`))
		}
	}
}

// name returns the number of a name.
func (r *reader) name(about string) int32 {
	i, ok := r.nameOf[about]
	if !ok {
		i = int32(len(r.names))
		r.names = append(r.names, about)
		r.nameOf[about] = i
	}
	return i
}

// unknown is what requests are about whose file nobody opened.
const unknown = "?"

func (r *reader) message(m *flows.Message) {
	on, ok := r.conns[m.Conn]
	if !ok {
		return
	}
	if m.Closed {
		r.closed[m.Conn]++
		return
	}
	c := wire.NewCut(m.Bytes, m.Size, nil)
	d := r.dec.Decode(&c, nil)
	switch {
	case d == nil || c.Failed() && len(m.Bytes) < headerSize:
	case !m.FromServer:
		r.request(m, d, on)
	case m.Exchange >= 0 && m.Interim:
		if i, ok := r.exchanges[m.Exchange]; ok {
			r.steps[i].waited = true
		}
	case m.Exchange >= 0:
		r.answered(m, d)
	case d.Command == smb2.OplockBreak:
		r.broke(m, d, on)
	}
}

const headerSize = 64

func (r *reader) request(m *flows.Message, d *smb2.Message, on int32) {
	if d.Command == smb2.Cancel || m.Exchange < 0 {
		return
	}
	host := r.hosts[m.Conn]
	if m.Position == 0 || r.chain.conn != m.Conn || r.chain.frame != m.Frame {
		r.chain = chained{conn: m.Conn, frame: m.Frame}
	}
	k := &r.chain
	if d.Flags&smb2.FlagRelated == 0 || m.Position == 0 {
		k.session, k.tree, k.known = d.SessionID, d.TreeID, false
	}
	share, known := r.trees[treeID{host, k.session, k.tree}]
	r.lateTrees = r.lateTrees || !known && d.Command != smb2.TreeConnect && onTree(d.Command)
	f := file{about: r.name(unknown), open: -1}
	switch b := d.Body.(type) {
	case *smb2.CreateRequest:
		f.about = r.name(subject(share, createPath(d, b)))
	case *smb2.TreeConnectRequest:
		share := shareName(b.Path.String())
		f.about, r.named[share] = r.name(share), true
	case *smb2.LogoffRequest, *smb2.NegotiateRequest, *smb2.SessionSetupRequest, *smb2.EchoRequest, *smb2.LeaseBreakAcknowledgment:
		f.about = r.name("")
	case *smb2.TreeDisconnectRequest:
		f.about = r.name(share)
	default:
		id, has := fileOf(d)
		switch {
		case !has:
		case allOnes(id) && k.known:
			f = k.file
		case allOnes(id): // about no file: the share, or the server
			f.about = r.name(share)
		default:
			if known, ok := r.files[fileID{host, id}]; ok {
				f = known
			} else if early := r.early[m.Exchange]; early != "" {
				f.about = r.name(subject(share, early))
				r.late[f.about] = true
			}
		}
	}
	k.file, k.known = f, true
	mean := meaningOf(d, r.names[f.about], func(id smb2.FileID) string {
		if f, ok := r.files[fileID{host, id}]; ok {
			return r.names[f.about]
		}
		return unknown
	})
	i := int32(len(r.steps))
	r.steps = append(r.steps, step{
		key: mean.key, data: mean.data, offset: mean.offset, length: mean.length, kind: mean.kind, command: d.Command,
		answer: -1, conn: on, frame: int32(m.Frame), about: f.about, open: f.open, after: -1, took: m.Time,
	})
	if d.Command == smb2.Create {
		k.file.open = i
	}
	r.exchanges[m.Exchange] = i
	r.byKey[mean.key] = append(r.byKey[mean.key], i)
	if b, ok := d.Body.(*smb2.NegotiateRequest); ok && r.Recording.conns[on].offers == (key{}) {
		r.Recording.conns[on].offers = offersOf(b)
	}
}

func (r *reader) answered(m *flows.Message, d *smb2.Message) {
	i, ok := r.exchanges[m.Exchange]
	if !ok {
		return
	}
	delete(r.exchanges, m.Exchange)
	s := &r.steps[i]
	s.answer, s.status, s.took = int32(m.Place), d.Status, m.Time-s.took
	if s.waited {
		if last := int32(len(r.steps)) - 1; last > i {
			s.after = last
		}
	}
	if m.Size > len(m.Bytes) {
		r.cut++
	}
	if b, ok := d.Body.(*smb2.ReadResponse); ok && d.Status == ntstatus.Success && b.DataRemaining > 0 {
		r.direct++
	}
	if s.command == smb2.Read {
		r.reads[s.about] = append(r.reads[s.about], i)
	}
	host := r.hosts[m.Conn]
	switch b := d.Body.(type) {
	case *smb2.NegotiateResponse:
		if k := &r.Recording.conns[s.conn]; k.manner == nil && d.Status == ntstatus.Success {
			k.manner = mannerOf(b)
		}
	case *smb2.SessionSetupResponse:
		const guest, null = smb2.SessionGuest, smb2.SessionNull
		if d.Status == ntstatus.Success {
			r.guests = r.guests || b.Flags&(guest|null) != 0
			if b.Flags&smb2.SessionEncrypt != 0 {
				r.Recording.conns[s.conn].encrypt = true
			}
		}
	case *smb2.TreeConnectResponse:
		if d.Status == ntstatus.Success {
			share := r.names[s.about]
			r.trees[treeID{host, d.SessionID, d.TreeID}] = share
			r.shares[share] = true
		}
	case *smb2.CreateResponse:
		if d.Status == ntstatus.Success {
			r.files[fileID{host, b.File}] = file{about: s.about, open: i}
		}
	}
}

// broke keeps a break that the server sent, if a request came before it.
func (r *reader) broke(m *flows.Message, d *smb2.Message, on int32) {
	last := int32(len(r.steps)) - 1
	if last < 0 {
		return
	}
	n := notice{conn: on, place: int32(m.Place), open: -1}
	if b, ok := d.Body.(*smb2.OplockBreakNotification); ok {
		f, known := r.files[fileID{r.hosts[m.Conn], b.File}]
		if !known {
			return
		}
		n.open = f.open
	}
	r.breaks[last] = append(r.breaks[last], n)
}

func (r *reader) finish() {
	for i := range r.steps {
		if s := &r.steps[i]; s.answer < 0 {
			s.took = 0
		}
	}
	for i := range r.Recording.conns {
		id := r.Recording.conns[i].id
		if n := r.closed[id]; n > 0 {
			r.problem("connection %d: %d messages are encrypted, and no key opens them: give --keys or the session's --session-key", id, n)
		}
	}
	if r.cut > 0 {
		r.problem("%d answers are not whole in the capture: what is missing is served as zeros", r.cut)
	}
	if r.direct > 0 {
		r.problem("RDMA moved the data of %d READs: it is served as zeros", r.direct)
	}
	if len(r.steps) == maxSteps {
		r.problem("only the first %d requests of the capture are served", maxSteps)
	}
	r.exchanges, r.trees, r.files = nil, nil, nil
}

func (r *reader) problem(format string, args ...any) {
	r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
}

// Requests returns how many requests the capture has that can be answered from it.
func (r *Recording) Requests() (n int) {
	for i := range r.steps {
		if r.steps[i].served() {
			n++
		}
	}
	return n
}

// served reports whether a step is answered from the capture, not by the server itself.
func (s *step) served() bool {
	switch s.command {
	case smb2.Negotiate, smb2.SessionSetup, smb2.Echo, smb2.Logoff, smb2.TreeDisconnect:
		return false
	}
	return true
}

// Share returns the name of a share to connect to, "share" if there is none.
func (r *Recording) Share() string {
	for i := range r.steps {
		if s := &r.steps[i]; s.command == smb2.TreeConnect && s.status == ntstatus.Success && r.names[s.about] != "ipc$" {
			return r.names[s.about]
		}
	}
	return "share"
}

// disks reports whether a client connected to a share other than that of named pipes.
func (r *Recording) disks() bool {
	return len(r.shares) > 1 || len(r.shares) == 1 && !r.shares["ipc$"]
}

// Guests reports whether the captured server let somebody in without a name of his own.
func (r *Recording) Guests() bool { return r.guests }

// message returns a message of the capture, its missing end filled with zeros.
func (r *Recording) message(place int32) (b []byte, err error) {
	err = r.capture.MessageAt(int(place), func(m *flows.Message) {
		b = append([]byte(nil), m.Bytes...)
		if n := m.Size - len(b); n > 0 && m.Size <= 16<<20 {
			b = append(b, make([]byte, n)...)
		}
	})
	if err == nil && len(b) < headerSize+2 {
		err = fmt.Errorf("the capture does not hold message %d", place)
	}
	return b, err
}

// offersOf is the same for clients that offer the same.
func offersOf(b *smb2.NegotiateRequest) key {
	w := new(words)
	w.bytes(b.Dialects)
	w.bytes(b.Ciphers)
	w.bytes(b.Signings)
	w.n(uint64(b.SecurityMode))
	return hash16(w.b)
}

// mannerOf is how a server answered a NEGOTIATE.
func mannerOf(b *smb2.NegotiateResponse) *server.Manner {
	m := &server.Manner{
		Dialect: b.Dialect, Mode: b.SecurityMode, Capabilities: b.Capabilities, Transact: b.MaxTransactSize, MaxRead: b.MaxReadSize, MaxWrite: b.MaxWriteSize,
	}
	if b.Ciphers.Len() > 0 {
		m.Ciphers, m.Cipher = true, smb2.Cipher(b.Ciphers.At(0))
	}
	if b.Signings.Len() > 0 {
		m.Signings, m.Signing = true, smb2.Signing(b.Signings.At(0))
	}
	return m
}

// onTree reports whether a command is about a tree.
func onTree(c smb2.Command) bool {
	switch c {
	case smb2.Negotiate, smb2.SessionSetup, smb2.Logoff, smb2.TreeConnect, smb2.Echo, smb2.Cancel, smb2.OplockBreak:
		return false
	}
	return true
}

// fileOf is the FileId of a request.
func fileOf(d *smb2.Message) (id smb2.FileID, ok bool) {
	switch b := d.Body.(type) {
	case *smb2.CloseRequest:
		return b.File, true
	case *smb2.FlushRequest:
		return b.File, true
	case *smb2.ReadRequest:
		return b.File, true
	case *smb2.WriteRequest:
		return b.File, true
	case *smb2.LockRequest:
		return b.File, true
	case *smb2.IoctlRequest:
		return b.File, true
	case *smb2.QueryDirectoryRequest:
		return b.File, true
	case *smb2.ChangeNotifyRequest:
		return b.File, true
	case *smb2.QueryInfoRequest:
		return b.File, true
	case *smb2.SetInfoRequest:
		return b.File, true
	case *smb2.OplockBreakAcknowledgment:
		return b.File, true
	}
	return id, false
}

var ones = strings.Repeat("\xff", 16)

func allOnes(id smb2.FileID) bool { return string(id[:]) == ones }
