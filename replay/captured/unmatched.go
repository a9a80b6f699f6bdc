package captured

// Requests that the capture does not hold.

import (
	"fmt"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/replay/server"
)

// unanswered serves a request that the capture does not have. s.mu is held.
func (p *player) unanswered(q *question) *server.Reply {
	s := p.s
	switch q.Command {
	case smb2.TreeDisconnect:
		delete(s.trees, liveTree{q.Session, q.Tree})
		return nil
	case smb2.Logoff:
		return nil
	case smb2.Ioctl:
		if fscc.Code(q.mean.kind) == fscc.ValidateNegotiate { // which some clients send though those of then did not
			return nil
		}
	}
	if reply := p.early(q); reply != nil {
		return reply
	}
	if reply := p.pieced(q); reply != nil {
		return reply
	}
	s.counts.miss(q, s.unmatched)
	p.caller.Logf("not in the capture: %s", &q.mean)
	switch s.unmatched {
	case Lab:
		if q.file == nil {
			return nil
		}
		if q.file.lab == nil {
			q.file.lab = &server.LabOpen{Create: q.file.create}
		}
		return &server.Reply{Lab: q.file.lab}
	case Nearest:
		if i := p.nearest(q); i >= 0 {
			reply := &server.Reply{Make: p.maker(q, i)}
			if q.Command == smb2.TreeConnect {
				reply.Connected = p.connected(q.Session, s.r.names[s.r.steps[i].about])
			}
			p.timed(reply, i, &s.r.steps[i])
			return reply
		}
	}
	return &server.Reply{Make: func() (smb2.Status, []byte) { return refusal(q), nil }}
}

// early answers a request whose like came before the capture began, if it did: for a share
// or an open that the capture uses. It returns nil for others. s.mu is held.
func (p *player) early(q *question) *server.Reply {
	r := p.s.r
	switch b := q.Body.(type) {
	case *smb2.TreeConnectRequest:
		if !r.lateTrees && r.disks() || q.about == "ipc$" {
			return nil
		}
		return &server.Reply{
			Make: func() (smb2.Status, []byte) {
				const allAccess = 0x001f01ff
				return ntstatus.Success, (&smb2.TreeConnectResponse{ShareType: smb2.ShareDisk, MaximalAccess: allAccess}).Append(nil)
			},
			Connected: p.connected(q.Session, ""),
		}
	case *smb2.CreateRequest:
		attributes := fscc.AttributeNormal
		if i, known := r.nameOf[q.about]; !known || !r.late[i] {
			if !r.named[q.about] { // the root of a share
				return nil
			}
			attributes = fscc.AttributeDirectory
		}
		return &server.Reply{Make: func() (smb2.Status, []byte) {
			p.s.mu.Lock()
			defer p.s.mu.Unlock()
			body := (&smb2.CreateResponse{Action: smb2.ActionOpened, Attributes: attributes}).Append(nil)
			p.opened(q, b, -1, body)
			return ntstatus.Success, body
		}}
	}
	return nil
}

// refusal is what a server says that has no such thing.
func refusal(q *question) smb2.Status {
	switch q.Command {
	case smb2.TreeConnect:
		return ntstatus.BadNetworkName
	case smb2.Create:
		return ntstatus.ObjectNameNotFound
	case smb2.QueryDirectory:
		return ntstatus.NoSuchFile
	}
	if q.file == nil || q.file.closed {
		return ntstatus.FileClosed
	}
	return ntstatus.NotSupported
}

// nearest returns the step most like a question: of the same kind, of the same file if
// there is one, and of those the one that begins nearest; -1 if there is none of the kind.
func (p *player) nearest(q *question) int32 {
	best, least := int32(-1), ^uint64(0)
	for i := range p.s.r.steps {
		s := &p.s.r.steps[i]
		if s.command != q.Command || s.answer < 0 || s.kind != q.mean.kind && q.Command != smb2.Create {
			continue
		}
		off := max(s.offset, q.mean.offset) - min(s.offset, q.mean.offset)
		d := min(off, 1<<61)
		if p.s.r.names[s.about] != q.about {
			if q.Command == smb2.Create { // another file is no answer
				continue
			}
			d += 1 << 62
		}
		if s.status.IsError() {
			d += 1 << 61
		}
		if d < least {
			best, least = int32(i), d
		}
	}
	return best
}

// pieced answers a READ of a range that captured READs of the file hold, as other requests
// than this one: clients differ in how much they read at once. It returns nil if they do
// not hold all of it. s.mu is held.
func (p *player) pieced(q *question) *server.Reply {
	const dataAt, most = 16, 8 << 20
	m, ok := q.Body.(*smb2.ReadRequest)
	if !ok || q.file == nil || isPipe(q.about) || m.Length > most || m.Offset > 1<<62 {
		return nil
	}
	s := p.s
	number, known := s.r.nameOf[q.about]
	if !known {
		return nil
	}
	end := m.Offset + uint64(m.Length) // of the range, until the file is known to end before it
	var data []byte
	for at := m.Offset; at < end; {
		i := s.r.reader(number, q.file.step, at)
		if i < 0 {
			return nil
		}
		st := &s.r.steps[i]
		if st.status == ntstatus.EndOfFile {
			end = at
			break
		}
		b, err := s.r.message(st.answer)
		if err != nil || len(b) < headerSize+dataAt {
			return nil
		}
		body := inline(b[headerSize:])
		got := section(body, uint32(body[2]), wire.GetU32(body[4:]))
		if at-st.offset >= uint64(len(got)) { // it ended before, and so does the file
			end = at
			break
		}
		piece := got[at-st.offset:]
		piece = piece[:min(uint64(len(piece)), end-at)]
		data = append(data, piece...)
		at += uint64(len(piece))
	}
	s.counts.hits++
	s.counts.pieced++
	return &server.Reply{Make: func() (smb2.Status, []byte) {
		if len(data) == 0 && m.Length > 0 || uint32(len(data)) < m.MinimumCount {
			return ntstatus.EndOfFile, nil
		}
		return ntstatus.Success, (&smb2.ReadResponse{Data: data}).Append(nil)
	}}
}

// reader returns a READ of a file that asked for the byte at an offset: the last one of
// the same open if there is one, else the last; -1 if there is none.
func (r *Recording) reader(about, open int32, at uint64) int32 {
	best, same := int32(-1), false
	for _, i := range r.reads[about] {
		s := &r.steps[i]
		if s.offset > at || at-s.offset >= s.length || s.status != ntstatus.Success && s.status != ntstatus.EndOfFile {
			continue
		}
		if mine := s.open >= 0 && s.open == open; mine || !same {
			best, same = i, mine
		}
	}
	return best
}

func (q *question) String() string { return fmt.Sprint(&q.mean) }
