package flowtest

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// What clients and servers do less often: compounds, answers out of order, channels,
// leases, frames that a capture lost.

// Release sends the i-th of the answers that Hold kept back, and forgets it.
func (s *Client) Release(i int) int {
	m := s.held[i]
	s.held = slices.Delete(s.held, i, i+1)
	s.Answer = s.Send(1, m)
	return s.Answer
}

// Retransmit sends the segments of the latest request again, and returns the frame.
func (s *Client) Retransmit() int { return s.SendAt(0, -len(s.sent), s.sent) }

// compound is requests that share a frame, and their answers.
type compound struct {
	requests, answers [][]byte
	opened            [16]byte // by a CREATE among them
}

// Related makes one compound of related requests of the calls that f makes, and one
// of their answers: what is done to the file that the first opens names it by an id
// of ones. [MS-SMB2] 3.2.4.1.4
func (s *Client) Related(f func()) {
	j := new(compound)
	s.join = j
	f()
	s.join = nil
	s.sent = s.frame(chain(j.requests))
	s.Request = s.Send(0, s.sent)
	s.Answer = s.Send(1, s.frame(chain(j.answers)))
}

func (j *compound) add(s *Client, command uint16, id uint64, request, answer []byte) {
	var flags uint32
	if len(j.requests) > 0 {
		flags = 4
		request = bytes.ReplaceAll(request, j.opened[:], bytes.Repeat([]byte{0xff}, 16))
	}
	if command == 5 {
		copy(j.opened[:], answer[64:])
	}
	j.requests = append(j.requests, s.message(command, id, 0, s.Flags|flags, request))
	j.answers = append(j.answers, s.message(command, id, s.Status, 1|flags, s.bodyOf(answer)))
}

// chain aligns messages and sets their NextCommand.
func chain(list [][]byte) (b []byte) {
	for i, m := range list {
		if i < len(list)-1 {
			m = append(m, make([]byte, -len(m)&7)...)
			binary.LittleEndian.PutUint32(m[20:], uint32(len(m)))
		}
		b = append(b, m...)
	}
	return b
}

// Channel adds a connection that is bound to the session. [MS-SMB2] 3.2.4.1.3
func (s *Client) Channel(client, server string) *Client {
	k := &Client{Conn: s.Dial(client, server), Session: s.Session, Tree: s.Tree, files: s.files + 100, ClientGUID: s.ClientGUID, ServerGUID: s.ServerGUID}
	k.bind()
	return k
}

func (s *Client) bind() {
	s.negotiate()
	s.Call(1, cat(u16(25), []byte{1, 1}, u32(0), u32(0), u16(88), u16(0), u64(0)), cat(u16(9), u16(0), u16(72), u16(0)))
}

// Disconnect adds a TREE_DISCONNECT, Logoff a LOGOFF.
func (s *Client) Disconnect() { s.Call(4, cat(u16(4), u16(0)), cat(u16(4), u16(0))) }

// Logoff adds a LOGOFF.
func (s *Client) Logoff() { s.Call(2, cat(u16(4), u16(0)), cat(u16(4), u16(0))) }

// NewAllocated is New that asks for room, by SMB2_CREATE_ALLOCATION_SIZE.
func (s *Client) NewAllocated(name string, room uint64) File {
	return s.create(name, 0, Created, context("AlSi", u64(room)), nil)
}

// Overwrite adds a CREATE that empties a file.
func (s *Client) Overwrite(name string) File { return s.create(name, 0, Overwritten, nil, nil) }

// CloseKnown adds a CLOSE that brings attributes.
func (s *Client) CloseKnown(f File, size uint64) {
	s.Call(6, cat(u16(24), u16(1), u32(0), f.ID[:]), cat(u16(60), u16(1), u32(0), make([]byte, 32), u64((size+4095)&^4095), u64(size), u32(0x20)))
}

// FsSector adds a QUERY_INFO of FileFsSectorSizeInformation.
func (s *Client) FsSector(f File, logical, physical uint32) {
	s.Call(16, cat(u16(41), []byte{2, 11}, u32(28), u16(0), u16(0), u32(0), u32(0), u32(0), f.ID[:], []byte{0}),
		cat(u16(9), u16(72), u32(28), u32(logical), u32(physical), u32(physical), u32(physical), u32(3), u32(0), u32(0)))
}

// FsFullSize adds a QUERY_INFO of FileFsFullSizeInformation.
func (s *Client) FsFullSize(f File, bytes, perUnit uint32) {
	s.Call(16, cat(u16(41), []byte{2, 7}, u32(32), u16(0), u16(0), u32(0), u32(0), u32(0), f.ID[:], []byte{0}),
		cat(u16(9), u16(72), u32(32), u64(1<<20), u64(1<<19), u64(1<<19), u32(perUnit), u32(bytes)))
}

// SetAllocation adds a SET_INFO of FileAllocationInformation.
func (s *Client) SetAllocation(f File, size uint64) {
	s.Call(17, cat(u16(33), []byte{1, 19}, u32(8), u16(96), u16(0), u32(0), f.ID[:], u64(size)), u16(2))
}

// LeaseBreak adds the server's notification of a lease break. [MS-SMB2] 2.2.23.2
func (s *Client) LeaseBreak(key [16]byte, from, to uint32) int {
	return s.Tell(18, cat(u16(44), u16(0), u32(1), key[:], u32(from), u32(to), make([]byte, 12)))
}

// LeaseAck adds the client's acknowledgement of one, and the answer.
func (s *Client) LeaseAck(key [16]byte, state uint32) {
	body := cat(u16(36), u16(0), u32(0), key[:], u32(state), u64(0))
	s.Call(18, body, body)
}

// SetSparse adds an FSCTL_SET_SPARSE.
func (s *Client) SetSparse(f File) { s.Ioctl(0x900c4, f, nil, nil) }

// Trim adds an FSCTL_FILE_LEVEL_TRIM of one range.
func (s *Client) Trim(f File, offset, length uint64) {
	s.Ioctl(0x98208, f, cat(u32(0), u32(1), u64(offset), u64(length)), u32(1))
}

// Snap cuts a frame to its first n bytes.
func (c *Capture) Snap(frame, n int) {
	p := &c.Packets[frame-1]
	p.Data = p.Data[:min(n, len(p.Data))]
}

// Lose takes a frame out: it was on the wire.
func (c *Capture) Lose(frame int) {
	c.Packets = slices.Delete(c.Packets, frame-1, frame)
	for i := range c.Packets {
		c.Packets[i].Number = i + 1
	}
}

// From takes out what came before a frame: the capture began late.
func (c *Capture) From(frame int) {
	c.Packets = c.Packets[frame-1:]
	for i := range c.Packets {
		c.Packets[i].Number = i + 1
	}
}
