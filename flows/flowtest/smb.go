package flowtest

import (
	"encoding/binary"
	"unicode/utf16"
)

// Client is one client's session on one connection, logged in and connected to a
// share before the first call. Every call adds a request and its answer; Async, Lose
// and the like change the next one.
type Client struct {
	*Conn
	Pair     *Pair // that messages go over in place of the Conn; nil for TCP
	Session  uint64
	Previous uint64 // PreviousSessionId of the next Setup
	Tree     uint32
	Credits  uint16 // that every message asks for and grants; 0 is 1
	Cipher   uint16 // that Setup agrees on, with dialect 3.1.1; 0 for none, and 3.0.2
	id       uint64 // MessageId of the next request
	files    byte
	Request  int // frame of the last request
	Answer   int // frame of its answer; 0 if there was none

	// Wrap, if it is not nil, makes of a message what is sent in its place: encrypted,
	// compressed, signed.
	Wrap func(message []byte) []byte

	// How the next call goes; each call resets them.
	Mute     bool   // no answer
	Pending  bool   // an interim answer first
	Meet     func() // runs between request and answer
	Flags    uint32 // more flags of the request's header
	Sequence uint16 // ChannelSequence of the request
	Oplock   byte   // that a CREATE is granted
	Status   uint32 // of the answer
	Room     uint32 // MaxOutputResponse of an IOCTL; 0 for enough
	Hold     bool   // its answer waits for Release
	Keep     bool   // an error brings the body of an answer, too

	ClientGUID, ServerGUID []byte // that Setup gives; nil for ones made of the addresses

	held [][]byte // answers that wait
	sent []byte   // the latest request
	join *compound
}

// Status codes that tests use. [MS-ERREF] 2.3.1
const (
	Success          = 0
	Pending          = 0x00000103
	EndOfFile        = 0xc0000011
	InvalidParameter = 0xc000000d
	NotSupported     = 0xc00000bb
	NotFound         = 0xc0000034
	InvalidToken     = 0xc0000465
	InvalidLevel     = 0xc0000148
	InvalidRequest   = 0xc0000010
	Cancelled        = 0xc0000120
)

// Login makes a connection and what belongs on it: NEGOTIATE of 3.1.1 without
// contexts, SESSION_SETUP, TREE_CONNECT to share.
func (c *Capture) Login(client, server, share string) *Client {
	s := &Client{Conn: c.Dial(client, server), Session: 0x100000000001 + uint64(len(c.Packets)), Tree: 7}
	s.Setup(share)
	return s
}

// Late is a client whose session began before the capture.
func (c *Capture) Late(client, server string) *Client {
	return &Client{Conn: c.Midway(client, server), Session: 0x100000000001 + uint64(len(c.Packets)), Tree: 7, id: 40}
}

// negotiate adds the first call on a connection.
func (s *Client) negotiate() {
	guid := make([]byte, 16)
	copy(guid, s.ends[0].Addr().AsSlice())
	if s.ClientGUID != nil {
		copy(guid, s.ClientGUID)
	}
	negotiate := cat(u16(36), u16(1), u16(1), u16(0), u32(0x7f), guid, make([]byte, 8), u16(0x0302))
	server := make([]byte, 16)
	copy(server, s.ends[1].Addr().AsSlice())
	if s.ServerGUID != nil {
		copy(server, s.ServerGUID)
	}
	answer := cat(u16(65), u16(1), u16(0x0302), u16(0), server, u32(0x7f), u32(8<<20), u32(8<<20), u32(8<<20), make([]byte, 16), u16(128), u16(0), u32(0))
	if s.Cipher != 0 { // [MS-SMB2] 2.2.3.1, 2.2.4.1
		contexts := cat(u16(1), u16(38), u32(0), u16(1), u16(32), u16(1), make([]byte, 32), []byte{0, 0}, u16(2), u16(4), u32(0), u16(1), u16(s.Cipher))
		negotiate = cat(negotiate[:28], u32(104), u16(2), u16(0), u16(0x0311), u16(0), contexts)
		binary.LittleEndian.PutUint16(answer[4:], 0x0311)
		binary.LittleEndian.PutUint16(answer[6:], 2)
		answer = cat(answer[:60], u32(128), contexts)
	}
	session, tree := s.Session, s.Tree
	s.Session, s.Tree = 0, 0
	s.Call(0, negotiate, answer)
	s.Session, s.Tree = session, tree
}

// Setup adds the calls of Login on the client's connection.
func (s *Client) Setup(share string) {
	s.negotiate()
	session, tree := s.Session, s.Tree
	s.Session, s.Tree = 0, 0
	s.answerAs(func() { s.Session = session }, 1, cat(u16(25), []byte{0, 1}, u32(0), u32(0), u16(88), u16(0), u64(s.Previous)), cat(u16(9), u16(0), u16(72), u16(0)))
	path := Text(share)
	s.answerAs(func() { s.Tree = tree }, 3, cat(u16(9), u16(0), u16(72), u16(uint16(len(path))), path), cat(u16(16), []byte{1, 0}, u32(0), u32(0), u32(0x1f01ff)))
}

// answerAs is Call where the answer brings an id that the request has not.
func (s *Client) answerAs(named func(), command uint16, request, answer []byte) {
	s.Mute = true
	s.Call(command, request, nil)
	named()
	s.Answer = s.Send(1, s.frame(s.message(command, s.id-1, Success, 0x1, answer)))
}

// Call adds a request with that body and the answer to it. An error status takes the
// place of the answer's body.
func (s *Client) Call(command uint16, request, answer []byte) {
	id := s.id
	s.id++
	if s.join != nil {
		s.join.add(s, command, id, request, answer)
		s.Flags, s.Status = 0, Success
		return
	}
	s.sent = s.frame(s.message(command, id, uint32(s.Sequence), s.Flags, request))
	s.Request = s.Send(0, s.sent)
	flags := uint32(0x1)
	if s.Pending {
		flags = 0x3 // [MS-SMB2] 3.3.4.4
		s.Send(1, s.frame(s.message(command, id, Pending, 0x3, failure())))
	}
	if s.Meet != nil {
		meet := s.Meet
		s.Meet = nil
		keep := *s
		meet()
		keep.id, keep.seq, keep.files = s.id, s.seq, s.files
		*s = keep
	}
	s.Answer = 0
	if !s.Mute {
		m := s.frame(s.message(command, id, s.Status, flags, s.bodyOf(answer)))
		if s.Hold {
			s.held = append(s.held, m)
		} else {
			s.Answer = s.Send(1, m)
		}
	}
	s.Mute, s.Pending, s.Flags, s.Status, s.Sequence, s.Room, s.Hold, s.Keep = false, false, 0, Success, 0, 0, false, false
}

// bodyOf is the body of an answer with the status at hand.
func (s *Client) bodyOf(answer []byte) []byte {
	if s.Status>>30 == 3 && answer != nil && s.Status != InvalidParameter && !s.Keep || answer == nil {
		return failure()
	}
	return answer
}

// Tell adds what the server says without being asked, and returns its frame.
func (s *Client) Tell(command uint16, body []byte) int {
	return s.Send(1, s.frame(s.message(command, ^uint64(0), 0, 0x1, body)))
}

// Cancel adds a CANCEL of the request at hand, and returns its frame. One that the
// server has called pending is named by its AsyncId. [MS-SMB2] 3.2.4.24
func (s *Client) Cancel(pending bool) int {
	m := s.message(12, s.id-1, 0, 0, u16(4))
	if pending {
		m = s.message(12, s.id-1, 0, 2, u16(4))
		copy(m[24:], make([]byte, 8)) // MessageId
	}
	return s.Send(0, s.frame(m))
}

// Watch adds a CHANGE_NOTIFY.
func (s *Client) Watch(f File) {
	s.Call(15, cat(u16(32), u16(0), u32(1024), f.ID[:], u32(0x17), u32(0)), cat(u16(9), u16(0), u32(0)))
}

// failure is the ERROR Response without data. [MS-SMB2] 2.2.2
func failure() []byte { return cat(u16(9), u16(0), u32(0), []byte{0}) }

// message adds the header. [MS-SMB2] 2.2.1.2
func (s *Client) message(command uint16, id uint64, status, flags uint32, body []byte) []byte {
	tree := cat(u32(0xfeff), u32(s.Tree))
	if flags&2 != 0 {
		tree = u64(id + 1000)
	}
	return cat([]byte("\xfeSMB"), u16(64), u16(1), u32(status), u16(command), u16(max(s.Credits, 1)), u32(flags), u32(0), u64(id), tree, u64(s.Session), make([]byte, 16), body)
}

// frame adds the session-service header. [MS-SMB2] 2.1
func (s *Client) frame(m []byte) []byte {
	if s.Wrap != nil {
		m = s.Wrap(m)
	}
	h := make([]byte, 4)
	binary.BigEndian.PutUint32(h, uint32(len(m)))
	return append(h, m...)
}

// File is an open file of a client.
type File struct {
	ID   [16]byte
	Name string
}

// Create actions and dispositions. [MS-SMB2] 2.2.13, 2.2.14
const (
	Opened      = 1
	Created     = 2
	Overwritten = 3
)

// Open adds a CREATE of a file that has that size.
func (s *Client) Open(name string, size uint64) File { return s.create(name, size, Opened, nil, nil) }

// OpenDurable adds a CREATE that is granted a durable open, version 2.
func (s *Client) OpenDurable(name string, guid [16]byte) File {
	return s.create(name, 0, Opened, context("DH2Q", cat(u32(0), u32(0), u64(0), guid[:])), context("DH2Q", cat(u32(60000), u32(0))))
}

// Reconnect adds a CREATE that goes on with a durable open.
func (s *Client) Reconnect(name string, f File, guid [16]byte) File {
	return s.create(name, 0, Opened, context("DH2C", cat(f.ID[:], guid[:], u32(0))), nil)
}

// OpenLeased adds a CREATE that is granted a lease.
func (s *Client) OpenLeased(name string, key [16]byte, state uint32) File {
	lease := context("RqLs", cat(key[:], u32(state), u32(0), u64(0)))
	s.Oplock = 0xff
	return s.create(name, 0, Opened, lease, lease)
}

// context is a create context, the only one. [MS-SMB2] 2.2.13.2
func context(tag string, data []byte) []byte {
	return cat(u32(0), u16(16), u16(4), u16(0), u16(24), u32(uint32(len(data))), []byte(tag), u32(0), data)
}

// New adds a CREATE of a file that did not exist.
func (s *Client) New(name string) File { return s.create(name, 0, Created, nil, nil) }

// Again adds a CREATE that overwrites a file.
func (s *Client) Again(name string) File { return s.create(name, 0, Overwritten, nil, nil) }

func (s *Client) create(name string, size uint64, action uint32, ask, grant []byte) File {
	s.files++
	f := File{Name: name, ID: [16]byte{s.files, byte(s.Session), 1, 0, 0, 0, 0, 0, s.files}}
	path := Text(name)
	name16 := len(path)
	if name16 == 0 {
		path = make([]byte, 8)
	}
	askAt, grantAt := 0, 0
	if ask != nil {
		path = append(path, make([]byte, -len(path)&7)...)
		askAt, path = 120+len(path), append(path, ask...)
	}
	if grant != nil {
		grantAt = 152
	}
	request := cat(u16(57), []byte{0, 0}, u32(2), make([]byte, 16), u32(0x12019f), u32(0x80), u32(7), u32(1), u32(0x40), u16(120), u16(uint16(name16)), u32(uint32(askAt)), u32(uint32(len(ask))), path)
	answer := cat(u16(89), []byte{s.Oplock, 0}, u32(action), make([]byte, 32), u64((size+4095)&^4095), u64(size), u32(0x80), u32(0), f.ID[:], u32(uint32(grantAt)), u32(uint32(len(grant))), grant)
	if grant == nil {
		answer = append(answer, 0)
	}
	s.Oplock = 0
	s.Call(5, request, answer)
	return f
}

// Close adds a CLOSE without attributes.
func (s *Client) Close(f File) {
	s.Call(6, cat(u16(24), u16(0), u32(0), f.ID[:]), cat(u16(60), make([]byte, 58)))
}

// SetSize adds a SET_INFO of FileEndOfFileInformation.
func (s *Client) SetSize(f File, size uint64) {
	s.Call(17, cat(u16(33), []byte{1, 20}, u32(8), u16(96), u16(0), u32(0), f.ID[:], u64(size)), u16(2))
}

// QueryStandard adds a QUERY_INFO of FileStandardInformation.
func (s *Client) QueryStandard(f File, size uint64) {
	s.Call(16, cat(u16(41), []byte{1, 5}, u32(24), u16(0), u16(0), u32(0), u32(0), u32(0), f.ID[:], []byte{0}),
		cat(u16(9), u16(72), u32(24), u64((size+4095)&^4095), u64(size), u32(1), u32(0)))
}

// Read adds a READ.
func (s *Client) Read(f File, offset uint64, data []byte) {
	s.Call(8, cat(u16(49), []byte{80, 0}, u32(uint32(len(data))), u64(offset), f.ID[:], make([]byte, 16), []byte{0}),
		cat(u16(17), []byte{80, 0}, u32(uint32(len(data))), u32(0), u32(0), data))
}

// Write adds a WRITE.
func (s *Client) Write(f File, offset uint64, data []byte) {
	s.Call(9, cat(u16(49), u16(112), u32(uint32(len(data))), u64(offset), f.ID[:], make([]byte, 16), data),
		cat(u16(17), u16(0), u32(uint32(len(data))), u32(0), u32(0)))
}

// Ioctl adds an FSCTL.
func (s *Client) Ioctl(code uint32, f File, input, output []byte) {
	room := s.Room
	if room == 0 {
		room = uint32(max(len(output), 1024))
	}
	request := cat(u16(57), u16(0), u32(code), f.ID[:], u32(120), u32(uint32(len(input))), u32(0), u32(0), u32(0), u32(room), u32(1), u32(0), input)
	answer := cat(u16(49), u16(0), u32(code), f.ID[:], u32(112), u32(0), u32(112), u32(uint32(len(output))), u32(0), u32(0), output)
	s.Call(11, request, answer)
}

// Token is the 512 bytes of a token.
type Token [512]byte

// NewToken returns a token of type 0x00010001 that no other numbers give.
func NewToken(n ...byte) (t Token) {
	copy(t[:], []byte{0, 1, 0, 1, 0, 0, 0, 32})
	for i := range 32 {
		t[8+i] = n[i%len(n)] + byte(i)
	}
	return t
}

// ZeroToken returns the token that stands for zeros. [MS-FSCC] 2.1.11
func ZeroToken() (t Token) {
	copy(t[:], []byte{0xff, 0xff, 0, 1, 0, 0, 1, 0xf8})
	return t
}

// OffloadRead adds an FSCTL_OFFLOAD_READ that is granted so many bytes.
func (s *Client) OffloadRead(f File, offset, length, granted uint64, t Token) {
	s.OffloadReadTTL(f, offset, length, granted, t, 0, 0)
}

// OffloadReadTTL is OffloadRead with a TTL, in milliseconds, and the answer's flags.
func (s *Client) OffloadReadTTL(f File, offset, length, granted uint64, t Token, ttl, flags uint32) {
	s.Ioctl(0x94264, f, cat(u32(32), u32(0), u32(ttl), u32(0), u64(offset), u64(length)), cat(u32(528), u32(flags), u64(granted), t[:]))
}

// OffloadWrite adds an FSCTL_OFFLOAD_WRITE that writes so many bytes.
func (s *Client) OffloadWrite(f File, offset, length, inToken uint64, t Token, written uint64) {
	s.Ioctl(0x98268, f, cat(u32(544), u32(0), u64(offset), u64(length), u64(inToken), t[:]), cat(u32(16), u32(0), u64(written)))
}

// ResumeKey adds an FSCTL_SRV_REQUEST_RESUME_KEY.
func (s *Client) ResumeKey(f File) (key [24]byte) {
	copy(key[:], f.ID[:])
	s.Ioctl(0x140078, f, nil, cat(key[:], u32(0), u32(0)))
	return key
}

// Chunk is one range of a copychunk.
type Chunk struct {
	From, To uint64
	Length   uint32
}

// CopyChunk adds an FSCTL_SRV_COPYCHUNK_WRITE answered with those three numbers.
func (s *Client) CopyChunk(f File, key [24]byte, chunks []Chunk, count, bytes, total uint32) {
	in := cat(key[:], u32(uint32(len(chunks))), u32(0))
	for _, k := range chunks {
		in = cat(in, u64(k.From), u64(k.To), u32(k.Length), u32(0))
	}
	s.Ioctl(0x1480f2, f, in, cat(u32(count), u32(bytes), u32(total)))
}

// Clone adds an FSCTL_DUPLICATE_EXTENTS_TO_FILE.
func (s *Client) Clone(to, from File, fromOffset, toOffset, length uint64) {
	s.Ioctl(0x98344, to, cat(from.ID[:], u64(fromOffset), u64(toOffset), u64(length)), nil)
}

// Text is s in UTF-16.
func Text(s string) (b []byte) {
	for _, u := range utf16.Encode([]rune(s)) {
		b = append(b, u16(u)...)
	}
	return b
}

func u16(v uint16) []byte { return binary.LittleEndian.AppendUint16(nil, v) }
func u32(v uint32) []byte { return binary.LittleEndian.AppendUint32(nil, v) }
func u64(v uint64) []byte { return binary.LittleEndian.AppendUint64(nil, v) }

func cat(parts ...[]byte) (b []byte) {
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

// SectorSize adds a QUERY_INFO of FileFsSizeInformation.
func (s *Client) SectorSize(f File, bytes, perUnit uint32) {
	s.Call(16, cat(u16(41), []byte{2, 3}, u32(24), u16(0), u16(0), u32(0), u32(0), u32(0), f.ID[:], []byte{0}),
		cat(u16(9), u16(72), u32(24), u64(1<<20), u64(1<<19), u32(perUnit), u32(bytes)))
}

// ZeroData adds an FSCTL_SET_ZERO_DATA of the bytes from start up to end.
func (s *Client) ZeroData(f File, start, end uint64) {
	s.Ioctl(0x980c8, f, cat(u64(start), u64(end)), nil)
}

// Allocated adds an FSCTL_QUERY_ALLOCATED_RANGES answered with pairs of offset and
// length.
func (s *Client) Allocated(f File, offset, length uint64, pairs ...uint64) {
	var out []byte
	for _, v := range pairs {
		out = cat(out, u64(v))
	}
	s.Ioctl(0x940cf, f, cat(u64(offset), u64(length)), out)
}

// Break adds an oplock break notification of the server.
func (s *Client) Break(f File) int {
	id := s.id
	defer func() { s.id = id }()
	return s.Send(1, s.frame(s.message(18, ^uint64(0), 0, 1, cat(u16(24), []byte{1, 0}, u32(0), f.ID[:]))))
}

// BreakDone adds the client's acknowledgement of one, and the answer.
func (s *Client) BreakDone(f File) {
	body := cat(u16(24), []byte{1, 0}, u32(0), f.ID[:])
	s.Call(18, body, body)
}
