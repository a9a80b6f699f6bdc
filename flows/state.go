package flows

// What connections have in common: servers, sessions, tree connects, opens, names.

import (
	"net/netip"

	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
)

// Tables are indexed from 1: 0 is "unknown" in every record that points into one.

// server is one ServerGuid, or one address that gave none.
type server struct {
	name string // address, without the port
	guid wire.GUID
}

// sessionState is a session on one server.
type sessionState struct {
	id      uint64
	server  uint32
	domain  string
	user    string
	host    string
	frame   uint32 // of the SESSION_SETUP response that finished it
	conns   []uint32
	guest   bool
	signed  bool
	sealed  int    // messages that are encrypted
	closed  uint32 // frame of the first of them that was not decrypted; 0 if all were
	cipher  smb2.Cipher
	sealing *sealing // nil without keys
	trees   []uint32
	after   uint32 // the session that the client had lost when it began this one; 0 if none

	opens    uint32 // the first of its list of opens
	previous uint64 // id of the session that this one takes the place of; 0 if none
	ended    uint32 // frame in which it was over; 0 if it goes on
	earlier  []identity
}

// identity is who a session belonged to until somebody authenticated anew.
type identity struct {
	account string
	until   uint32 // frame
}

// accountAt returns whose the session was in a frame.
func (s *sessionState) accountAt(frame uint32) string {
	for _, who := range s.earlier {
		if frame < who.until {
			return who.account
		}
	}
	return s.account()
}

// account returns domain\user, or what there is of it.
func (s *sessionState) account() string {
	if s.domain == "" {
		return s.user
	}
	return s.domain + `\` + s.user
}

// treeState is a tree connect.
type treeState struct {
	session uint32
	id      uint32
	share   string
	kind    uint8 // 1 disk, 2 pipe, 3 printer
	frame   uint32
	sector  uint32 // logical sector size in bytes; 0 if the capture does not show it
	volume  uint32 // see volumeOf; 0 until it is asked for
	cluster uint32 // allocation unit in bytes; 0 if the capture does not show it
}

// openState is a file as one CREATE opened it.
type openState struct {
	fid        smb2.FileID
	session    uint32
	tree       uint32
	name       uint32 // index of its path in Analyzer.names
	openFrame  uint32
	closeFrame uint32
	sight      uint32 // frame that showed it first, if that is not its CREATE; 0 if it is
	file       uint32 // index of the file in Analyzer.files: what copies are made of
	pipe       uint32 // index of what is said on it in Analyzer.pipes; 0 if that is no DCE/RPC
	exclusive  bool   // its oplock is one whose break is to be acknowledged
	over       bool   // it ended without a CLOSE
	prev, next uint32 // in the list of its session
	hold       *hold  // its oplock or lease; nil if it has none
}

type sessionKey struct {
	server uint32
	id     uint64
}

type treeKey struct {
	session uint32
	id      uint32
}

type openKey struct {
	session uint32
	fid     smb2.FileID
}

// state is what an Analyzer knows above connections.
type state struct {
	names     []string
	nameIndex map[string]uint32
	nameBuf   []byte

	servers      []server
	serverByAddr map[netip.Addr]uint32
	serverByGUID map[wire.GUID]uint32

	sessions     []sessionState
	sessionByKey map[sessionKey]uint32

	trees     []treeState
	treeByKey map[treeKey]uint32

	opens     []openState
	openByKey map[openKey]uint32
	freeOpens []uint32
	openCount int // of all there were

	files     []file
	fileByKey map[fileKey]uint32

	litter      litter
	aged        aged
	caching     cachingTable
	late        []uint32              // opens that are over and not forgotten yet
	durable     map[durableKey]uint32 // opens
	durableBy   map[uint32]durableKey // by open
	durables    int                   // durable opens that were granted
	resumptions int                   // opens that a client came back to
}

func newState() state {
	return state{
		names: make([]string, 1), nameIndex: make(map[string]uint32),
		servers: make([]server, 1), serverByAddr: make(map[netip.Addr]uint32), serverByGUID: make(map[wire.GUID]uint32),
		sessions: make([]sessionState, 1), sessionByKey: make(map[sessionKey]uint32),
		trees: make([]treeState, 1), treeByKey: make(map[treeKey]uint32),
		opens: make([]openState, 1), openByKey: make(map[openKey]uint32),
		files: make([]file, 1), fileByKey: make(map[fileKey]uint32),
	}
}

// intern returns the index of a name, which is allocated the first time only.
func (s *state) intern(name wire.UTF16) uint32 {
	if len(name) == 0 {
		return 0
	}
	s.nameBuf = name.AppendTo(s.nameBuf[:0])
	return s.internBytes(s.nameBuf)
}

// internFile is intern for what a CREATE opens. A snapshot of a file is another
// file, and goes by its time, too, as Wireshark has it.
func (s *state) internFile(m *smb2.CreateRequest) uint32 {
	if !m.Contexts.Has(smb2.ContextTimeWarp) {
		return s.intern(m.Name)
	}
	s.nameBuf = append(m.Name.AppendTo(s.nameBuf[:0]), '@')
	s.nameBuf = wire.AppendFileTime(s.nameBuf, m.TimeWarp)
	return s.internBytes(s.nameBuf)
}

func (s *state) internBytes(b []byte) uint32 {
	if len(b) == 0 {
		return 0
	}
	if i, ok := s.nameIndex[string(b)]; ok {
		return i
	}
	name := string(b)
	i := place(&s.litter.freeNames, len(s.names), func() { s.names = append(s.names, "") })
	s.litter.made++
	s.names[i] = name
	s.nameIndex[name] = i
	return i
}

// serverOf returns the server of a connection.
func (a *Analyzer) serverOf(c *conn) uint32 {
	if c.host != 0 {
		return c.host
	}
	_, end := c.ends()
	addr := end.Addr()
	i, ok := a.serverByAddr[addr]
	if !ok {
		a.servers = append(a.servers, server{name: addr.String()})
		i = uint32(len(a.servers) - 1)
		a.serverByAddr[addr] = i
	}
	c.host = i
	return i
}

// identify joins a connection's server with the one that gave the same ServerGuid.
func (a *Analyzer) identify(c *conn, guid wire.GUID) {
	if guid == (wire.GUID{}) {
		return
	}
	here := a.serverOf(c)
	if i, ok := a.serverByGUID[guid]; ok {
		c.host = i
		_, end := c.ends()
		a.serverByAddr[end.Addr()] = i
		return
	}
	if g := a.servers[here].guid; g != (wire.GUID{}) && g != guid {
		// Another server answers at this address now.
		a.servers = append(a.servers, server{name: a.servers[here].name})
		here = uint32(len(a.servers) - 1)
		_, end := c.ends()
		a.serverByAddr[end.Addr()] = here
	}
	a.servers[here].guid = guid
	a.serverByGUID[guid] = here
	c.host = here
}

// sessionOf returns the session with that id on the connection's server; one that
// the capture did not see begin is made on sight. Id 0 is no session.
func (a *Analyzer) sessionOf(c *conn, id uint64) uint32 {
	if id == 0 || id == ^uint64(0) {
		return 0
	}
	k := sessionKey{a.serverOf(c), id}
	i, ok := a.sessionByKey[k]
	if !ok {
		i = place(&a.aged.freeSessions, len(a.sessions), func() { a.sessions = append(a.sessions, sessionState{}) })
		a.sessions[i] = sessionState{id: id, server: k.server}
		a.sessionByKey[k] = i
	}
	s := &a.sessions[i]
	if n := len(s.conns); n == 0 || s.conns[n-1] != c.id {
		for _, have := range s.conns {
			if have == c.id {
				return i
			}
		}
		s.conns = append(s.conns, c.id)
		c.sessions = append(c.sessions, i)
	}
	return i
}

// root returns the first of the sessions that a client went on with as one.
func (a *Analyzer) root(i uint32) uint32 {
	for n := 0; a.sessions[i].after != 0 && n < 1000; n++ {
		i = a.sessions[i].after
	}
	return i
}

// bind joins the connection's server with the one that has the session which the
// client binds the connection to: a server has several addresses. [MS-SMB2] 3.2.4.2.3.2
func (a *Analyzer) bind(c *conn, e *exchange) {
	mine := &a.sessions[e.session]
	if mine.frame != 0 || len(mine.conns) > 1 {
		return // known at this address
	}
	for i := range a.sessions[1:] {
		s := &a.sessions[i+1]
		if s.id != mine.id || s == mine || s.frame == 0 || a.byID[s.conns[0]] == nil || a.clientOf(a.byID[s.conns[0]]) != a.clientOf(c) {
			continue
		}
		delete(a.sessionByKey, sessionKey{mine.server, mine.id})
		mine.conns = nil
		c.host = s.server
		_, end := c.ends()
		a.serverByAddr[end.Addr()] = s.server
		e.session = a.sessionOf(c, s.id)
		return
	}
}

// treeOf returns the tree connect with that id of a session, made on sight.
func (a *Analyzer) treeOf(session uint32, id uint32) uint32 {
	if session == 0 || id == 0 || id == ^uint32(0) {
		return 0
	}
	k := treeKey{session, id}
	i, ok := a.treeByKey[k]
	if !ok {
		i = a.newTree(k)
	}
	return i
}

func (a *Analyzer) newTree(k treeKey) uint32 {
	i := place(&a.aged.freeTrees, len(a.trees), func() { a.trees = append(a.trees, treeState{}) })
	a.trees[i] = treeState{session: k.session, id: k.id}
	a.treeByKey[k] = i
	a.sessions[k.session].trees = append(a.sessions[k.session].trees, i)
	return i
}

// invalidFile is the FileId of a related request that means the one before it, and
// of requests that need no file.
var invalidFile = smb2.FileID{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

// openOf returns the open with that id of a session; one that the capture did not
// see begin is made on sight, without a name.
func (a *Analyzer) openOf(session, tree uint32, fid smb2.FileID) uint32 {
	if fid == invalidFile {
		return 0
	}
	k := openKey{session, fid}
	i, ok := a.openByKey[k]
	if !ok {
		i = a.newOpen(k, tree)
		a.opens[i].sight = a.frame
	}
	return i
}

// opened returns the open that an answered CREATE begins. If that id was seen just before, the
// answer was captured late, and what was made on sight goes on as this open.
func (a *Analyzer) opened(k openKey, tree uint32) uint32 {
	if i, ok := a.openByKey[k]; ok {
		if o := &a.opens[i]; o.sight != 0 && a.frame-o.sight <= earlyFrames {
			o.sight, o.tree, o.file = 0, tree, 0
			return i
		}
	}
	return a.newOpen(k, tree)
}

func (a *Analyzer) newOpen(k openKey, tree uint32) uint32 {
	a.openCount++
	i := place(&a.freeOpens, len(a.opens), func() { a.opens = append(a.opens, openState{}) })
	a.litter.made++
	a.opens[i] = openState{fid: k.fid, session: k.session, tree: tree}
	a.openByKey[k] = i
	a.sessions[k.session].link(a, i)
	return i
}

// closed ends an open.
func (a *Analyzer) closed(i uint32, frame uint32) {
	o := &a.opens[i]
	o.closeFrame = frame
	if k := (openKey{o.session, o.fid}); a.openByKey[k] == i {
		delete(a.openByKey, k)
	}
	a.notDurable(i)
	a.letGo(o)
	a.sessions[o.session].unlink(a, i)
	a.files[o.file].round = a.litter.rounds
	if a.index == nil {
		a.pipes.hangUp(o)
	}
}
