package flows

// Opens that outlive their connection: a client that comes back goes on with the same
// open. [MS-SMB2] 3.3.5.9.7, 3.3.5.9.12

import (
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
)

// durableKey is what a client asks for an open with: its CreateGuid, or before
// version 2 the persistent half of its FileId.
type durableKey struct {
	server     uint32
	persistent [8]byte
	create     wire.GUID
}

// maxDurable bounds the durable opens that are followed at once.
const maxDurable = 1 << 16

// lasts keeps that the server has made an open durable.
func (a *Analyzer) lasts(c *conn, x, open uint32, b *smb2.CreateResponse) {
	const either = smb2.ContextDurable | smb2.ContextDurableV2
	if b.Contexts&either == 0 || len(a.durableBy) >= maxDurable {
		return
	}
	k := durableKey{server: a.serverOf(c), create: a.exchanges.beside(x).durable}
	if k.create == (wire.GUID{}) {
		k.persistent = [8]byte(b.File[:8])
	}
	if a.durable == nil {
		a.durable, a.durableBy = make(map[durableKey]uint32), make(map[uint32]durableKey)
	}
	a.durable[k] = open
	a.durableBy[open] = k
	a.durables++
}

// resumed returns the open that an answered CREATE goes on with, now under another
// FileId, session and tree; 0 if it is another one.
func (a *Analyzer) resumed(c *conn, x uint32, b *smb2.CreateResponse) uint32 {
	ask := a.exchanges.beside(x)
	if !ask.reconnects {
		return 0
	}
	k := durableKey{server: a.serverOf(c), create: ask.reconnect.CreateGUID}
	if k.create == (wire.GUID{}) {
		k.persistent = [8]byte(ask.reconnect.File[:8])
	}
	i, ok := a.durable[k]
	if !ok {
		return 0
	}
	e := a.exchanges.at(x)
	o := &a.opens[i]
	if was := (openKey{o.session, o.fid}); a.openByKey[was] == i {
		delete(a.openByKey, was)
	}
	a.sessions[o.session].unlink(a, i)
	o.fid, o.session, o.tree = b.File, e.session, e.tree
	a.openByKey[openKey{o.session, o.fid}] = i
	a.sessions[o.session].link(a, i)
	a.resumptions++
	return i
}

// abandoned ends the opens of a session that is over; those that are durable wait for
// their client if spare is true.
func (a *Analyzer) abandoned(session uint32, spare bool) {
	for i := a.sessions[session].opens; i != 0; {
		o := &a.opens[i]
		next := o.next
		if _, durable := a.durableBy[i]; !spare || !durable {
			a.dropped(i)
		}
		i = next
	}
}

// treeGone ends the opens on a tree that is disconnected.
func (a *Analyzer) treeGone(tree uint32) {
	for i := a.sessions[a.trees[tree].session].opens; i != 0; {
		o := &a.opens[i]
		next := o.next
		if o.tree == tree {
			a.dropped(i)
		}
		i = next
	}
}

// notDurable forgets that an open was.
func (a *Analyzer) notDurable(i uint32) {
	if k, ok := a.durableBy[i]; ok {
		delete(a.durableBy, i)
		if a.durable[k] == i {
			delete(a.durable, k)
		}
	}
}

// maxLate bounds the opens that are known although they ended with something else: a
// client may try them once more.
const maxLate = 1 << 10

// dropped ends an open that nobody closed.
func (a *Analyzer) dropped(i uint32) {
	o := &a.opens[i]
	if o.file != 0 {
		a.left(o.file)
	}
	a.notDurable(i)
	a.letGo(o)
	a.sessions[o.session].unlink(a, i)
	o.over = true
	if a.late = append(a.late, i); len(a.late) > maxLate {
		old := &a.opens[a.late[0]]
		if k := (openKey{old.session, old.fid}); old.over && a.openByKey[k] == a.late[0] {
			delete(a.openByKey, k)
		}
		a.late = a.late[1:]
	}
}

// link and unlink keep the list of a session's opens.
func (s *sessionState) link(a *Analyzer, i uint32) {
	o := &a.opens[i]
	o.prev, o.next = 0, s.opens
	if s.opens != 0 {
		a.opens[s.opens].prev = i
	}
	s.opens = i
}

func (s *sessionState) unlink(a *Analyzer, i uint32) {
	o := &a.opens[i]
	switch {
	case o.prev != 0:
		a.opens[o.prev].next = o.next
	case s.opens == i:
		s.opens = o.next
	default:
		return // in no list
	}
	if o.next != 0 {
		a.opens[o.next].prev = o.prev
	}
	o.prev, o.next = 0, 0
}
