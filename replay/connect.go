package replay

// Connections, sessions, trees and files at the target: as the capture has them made, or
// made on first use where it begins later.

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/replay/client"
)

// newKey makes up a lease key, a GUID and the like.
func newKey() []byte {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails, says its documentation
	return b
}

// conn returns the target's connection of a step, nil if there is none.
func (r *run) conn(s *Step) *client.Conn {
	c := r.live[r.plan.Groups[s.Group].Conn]
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.conn
}

// connect makes a connection, unless it is there.
func (r *run) connect(ctx context.Context, index int) (*client.Conn, error) {
	c := r.live[index]
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn != nil || c.err != nil {
		return c.conn, c.err
	}
	dial := r.o.Dial
	if dial == nil {
		dial = client.DialTCP
	}
	t, err := dial(ctx, r.o.Target.Address)
	if err != nil {
		c.err = fmt.Errorf("%s cannot be reached: %w", r.o.Target.Address, err)
		return nil, c.err
	}
	o := r.offers(index)
	local, remote := t.LocalAddr(), t.RemoteAddr()
	o.Tap = func(u *client.Unit) {
		if !u.Sent {
			c.heard.Store(u.Time.UnixNano())
		}
		if r.o.Tap != nil {
			r.o.Tap(index, local, remote, u)
		}
	}
	o.OnBreak = func(b *client.Break) { r.broke(b) }
	o.ServerName = r.o.Target.Host
	c.conn, c.err = client.Negotiate(ctx, t, o)
	c.reached = c.err == nil || errors.Is(c.err, client.ErrProtocol)
	if _, refused := client.StatusOf(c.err); refused {
		c.reached = true
	}
	if c.err == nil {
		if old := r.plan.Conns[index].Dialect; old != 0 {
			r.environment("smb2.dialect", old.String(), c.conn.Dialect.String())
		}
	}
	return c.conn, c.err
}

// settle is what a server gets to notice that a connection has ended on which files were
// open, or to which its client's next ones would be joined. Nothing that travels says that
// it has.
const settle = 50 * time.Millisecond

// end ends a connection where the captured one ended.
func (r *run) end(ctx context.Context, g *Group) {
	c := r.live[g.Conn]
	c.mu.Lock()
	conn := c.conn
	c.mu.Unlock()
	if conn == nil {
		return
	}
	c.ended.Store(true)
	conn.Close()
	r.mu.Lock()
	held := r.plan.again(g.Conn)
	for _, slot := range g.Closes {
		r.again.lost[slot] = time.Now()
	}
	for file, o := range r.opens {
		if o.session.Conn == conn {
			delete(r.opens, file)
			held = true
		}
	}
	for k := range r.sessions {
		if k.conn == g.Conn {
			delete(r.sessions, k)
		}
	}
	r.mu.Unlock()
	if held {
		select {
		case <-time.After(settle):
		case <-ctx.Done():
		}
	}
}

// again reports whether the client of a connection makes one later that is of the same
// ClientGuid.
func (p *Plan) again(conn int) bool {
	guid := p.clientGUID(conn)
	for i := conn + 1; i < len(p.Conns) && guid != (wire.GUID{}); i++ {
		if p.clientGUID(i) == guid {
			return true
		}
	}
	return false
}

// offers returns what the captured client offered on a connection.
func (r *run) offers(index int) *client.Options {
	k := &r.plan.Conns[index]
	o := &client.Options{ClientGUID: r.clientGUID(index)}
	if k.Negotiate == 0 {
		if k.Dialect != 0 {
			o.Dialects = []smb2.Dialect{k.Dialect}
		}
		return o
	}
	var d decoder
	s := r.plan.Step(k.Negotiate)
	m, ok := d.decode(s.Request, s.Size, nil, slotWant).Body.(*smb2.NegotiateRequest)
	if !ok {
		return o
	}
	o.Mode = m.SecurityMode
	for i := range m.Dialects.Len() {
		if v := smb2.Dialect(m.Dialects.At(i)); v != smb2.DialectWildcard {
			o.Dialects = append(o.Dialects, v)
		}
	}
	for i := range m.Ciphers.Len() {
		o.Ciphers = append(o.Ciphers, smb2.Cipher(m.Ciphers.At(i)))
	}
	for i := range m.Signings.Len() {
		o.Signings = append(o.Signings, smb2.Signing(m.Signings.At(i)))
	}
	if m.Dialects.Has(uint16(smb2.Dialect311)) && m.Signings.Len() == 0 {
		o.Signings = []smb2.Signing{smb2.AESCMAC} // what is used without the context. [MS-SMB2] 3.2.5.2
	}
	return o
}

// clientGUID is the same for connections that had the same one.
func (r *run) clientGUID(index int) (g wire.GUID) {
	old := r.plan.clientGUID(index)
	if old == (wire.GUID{}) {
		return g
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.guids == nil {
		r.guids = make(map[wire.GUID]wire.GUID)
	}
	if _, ok := r.guids[old]; !ok {
		r.guids[old] = wire.GUID(newKey())
	}
	return r.guids[old]
}

// clientGUID returns the captured one, zero if it is not known.
func (p *Plan) clientGUID(index int) (g wire.GUID) {
	n := p.Conns[index].Negotiate
	if n == 0 {
		return g
	}
	if b := p.Step(n).Request; len(b) >= headerSize+28 {
		copy(g[:], b[headerSize+12:])
	}
	return g
}

// credentials are those of the user, but for sessions of nobody.
func (r *run) credentials(slot int, first *Step) *client.Credentials {
	who := r.o.user()
	if first != nil && r.plan.anonymous(first.ID) {
		*who = client.Credentials{}
		return who
	}
	if first != nil && len(first.Request) >= headerSize+24 {
		who.Previous = r.successor(le.Uint64(first.Request[headerSize+16:]))
	}
	for i := range r.plan.Steps {
		s := &r.plan.Steps[i]
		if s.Session != slot || s.Header.Command == smb2.SessionSetup {
			continue
		}
		who.Encrypt = s.Sealed // else a share may demand it, which the client follows
		break
	}
	return who
}

// successor returns the target's session in the place of a captured one that a client had
// lost; 0 if there is none. [MS-SMB2] 2.2.5
func (r *run) successor(previous uint64) uint64 {
	for i := range r.plan.Slots {
		if s := &r.plan.Slots[i]; previous != 0 && s.Kind == SlotSession && le.Uint64(s.Old) == previous {
			if v := r.value(i); v != nil {
				return le.Uint64(v)
			}
		}
	}
	return 0
}

// anonymous reports whether a log-on named no user.
func (p *Plan) anonymous(login int) bool {
	if name, ok := p.users[login]; ok {
		return name == ""
	}
	for i := login - 1; i < len(p.Steps); i++ {
		if s := &p.Steps[i]; s.Login == login && s.Exchange.User != "" {
			return false
		}
	}
	last := p.lastRound(login)
	if last == nil || !last.Answered() || len(last.Answer) < headerSize+4 {
		return false
	}
	const isNull = 2 // SMB2_SESSION_FLAG_IS_NULL
	return last.Answer[headerSize+2]&isNull != 0
}

// lastRound returns the last SESSION_SETUP of a log-on.
func (p *Plan) lastRound(login int) (last *Step) {
	for i := range p.Steps {
		if p.Steps[i].Login == login {
			last = &p.Steps[i]
		}
	}
	return last
}

func (r *run) addSession(k sessionOn, s *client.Session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sessions != nil {
		r.sessions[k] = s
	}
	if k.slot >= 0 && r.keyed[k.slot] == nil {
		r.keyed[k.slot] = s
	}
}

// session returns the session that a step is sent in, nil if it is of none; it makes those
// that the capture does not show the beginning of.
func (r *run) session(ctx context.Context, s *Step) (*client.Session, error) {
	index := r.plan.Groups[s.Group].Conn
	if s.Session < 0 || r.plan.Slots[s.Session].Bogus {
		_, err := r.connect(ctx, index)
		return nil, err
	}
	look := func() *client.Session {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.sessions[sessionOn{s.Session, index}]
	}
	if k := look(); k != nil {
		return k, nil
	}
	once := r.late[s.Session]
	if v := r.value(s.Session); once == nil && v != nil && s.Answered() && ownFault[statusOf(s.Answer)] { // it is not of this connection
		c, err := r.connect(ctx, index)
		if err != nil {
			return nil, err
		}
		return c.Orphan(le.Uint64(v)), nil
	}
	if once == nil {
		return nil, needs{s.Session}
	}
	once.Lock()
	defer once.Unlock()
	if k := look(); k != nil {
		return k, nil
	}
	r.note("the capture begins after the log-on of %s: it is done anew", &r.plan.Slots[s.Session])
	return r.newSession(ctx, s.Session, index, nil)
}

// prepareSlots makes the trees and files of a step that were there before the capture.
func (r *run) prepareSlots(ctx context.Context, s *Step, k *client.Session) error {
	if s.Tree >= 0 && r.late[s.Tree] != nil && s.Header.Command != smb2.TreeConnect {
		if err := r.lateTree(ctx, s.Tree, k); err != nil {
			return err
		}
	}
	for _, u := range s.Uses {
		if slot := &r.plan.Slots[u.Slot]; slot.Kind == SlotFile && r.late[u.Slot] != nil && slot.Known {
			if err := r.lateFile(ctx, u.Slot, s, k); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *run) lateTree(ctx context.Context, slot int, k *client.Session) error {
	r.late[slot].Lock()
	defer r.late[slot].Unlock()
	if r.value(slot) != nil {
		return nil
	}
	old := r.plan.Slots[slot].Path
	r.note("the capture begins after the TREE_CONNECT of %s: it is done anew, to %s", &r.plan.Slots[slot], r.sharePath(old))
	t, err := k.TreeConnect(ctx, r.sharePath(old))
	if err != nil {
		return err
	}
	var id [4]byte
	le.PutUint32(id[:], t.ID)
	r.setValue(slot, id[:])
	return nil
}

func (r *run) lateFile(ctx context.Context, slot int, s *Step, k *client.Session) error {
	r.late[slot].Lock()
	defer r.late[slot].Unlock()
	if r.value(slot) != nil {
		return nil
	}
	name := r.plan.Slots[slot].Path
	r.note("the capture begins after the CREATE of %s, %s: it is opened anew", &r.plan.Slots[slot], name)
	const maximumAllowed = 0x02000000
	t := &client.Tree{Session: k, ID: le.Uint32(r.value(s.Tree))}
	f, err := t.Open(ctx, strings.TrimPrefix(r.path(s, name), `\`), &smb2.CreateRequest{
		DesiredAccess: maximumAllowed, Disposition: smb2.Open, ShareAccess: smb2.ShareRead | smb2.ShareWrite | smb2.ShareDelete, Impersonation: 2,
	})
	if err != nil {
		return err
	}
	r.opened(f.File[:], open{k, t.ID, smb2.OplockNone})
	r.setValue(slot, f.File[:])
	return nil
}

// opened and closed keep what is open at the target.
func (r *run) opened(file []byte, o open) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.opens != nil {
		r.opens[string(file)] = o
	}
}

func (r *run) closed(file []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.opens, string(file))
}
