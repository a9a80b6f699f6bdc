package flows

// Options.Forget: a capture that goes on for weeks must not pile up what is over. Of
// connections, sessions, copies and tokens that are done with, the newest stay, and how
// many were forgotten is counted.

import (
	"encoding/binary"
	"slices"
	"time"
)

// ripe is how long nothing must have happened to what is forgotten.
const ripe = int64(10 * time.Minute)

// aged counts what was forgotten.
type aged struct {
	keep                            int // of each kind; 0 keeps all
	conns, sessions, copies, tokens int
	freeSessions, freeTrees         []uint32
	sessionsThen                    int // in use after the last round
}

// age forgets where there is twice as much as is to be kept. No exchange may be at hand.
func (a *Analyzer) age() {
	g := &a.aged
	if len(a.copies.list) > 2*g.keep {
		a.ageCopies(len(a.copies.list) - g.keep)
	}
	if len(a.copies.tokens.list) > 2*g.keep {
		a.ageTokens(len(a.copies.tokens.list) - g.keep)
	}
	if len(a.conns) > 2*g.keep {
		a.ageConns(len(a.conns) - g.keep)
	}
	if n := len(a.copies.loose); n > 2*g.keep {
		a.copies.calls -= n - g.keep
		a.copies.loose = slices.Delete(a.copies.loose, 0, n-g.keep)
	}
	if n := len(a.sessions) - len(g.freeSessions); n > 2*g.keep && n > g.sessionsThen+g.keep/2 {
		a.ageSessions(n - g.keep)
		g.sessionsThen = len(a.sessions) - len(g.freeSessions)
	}
}

// ripens reports whether what last happened then is long past.
func (a *Analyzer) ripens(then int64) bool { return a.now-then > ripe }

// ageCopies forgets most copies at the front of the list, those that are over.
func (a *Analyzer) ageCopies(most int) {
	t := &a.copies
	t.list = slices.DeleteFunc(t.list, func(y *copyState) bool {
		if most == 0 || y.final == nil && !y.frozen && !a.ripens(y.LastTime) {
			return false
		}
		if y.final == nil && y.to != 0 {
			a.settle(y.to)
		}
		calls := len(y.Calls)
		if y.final != nil {
			calls = len(y.final.Calls)
		}
		t.calls -= calls
		if key := (copyKey{y.client, y.from, y.to}); t.byKey[key] == y {
			delete(t.byKey, key)
		}
		if t.strange[y.client] == y {
			delete(t.strange, y.client)
		}
		if b := a.files[y.from].traffic; b != nil {
			b.outOf = slices.DeleteFunc(b.outOf, func(z *copyState) bool { return z == y })
		}
		most--
		a.aged.copies++
		return true
	})
	a.limit.story = 0
}

// ageTokens forgets most of the oldest tokens whose copies are forgotten, or that nobody
// presented for long. One that is presented later has been dropped, and is not unknown.
func (a *Analyzer) ageTokens(most int) {
	t := &a.copies.tokens
	t.list = slices.DeleteFunc(t.list, func(m *mint) bool {
		if most == 0 || !a.ripens(max(m.Time, m.lastUse)) && m.consumed.Len() < m.Length {
			return false
		}
		t.uses -= len(m.Uses)
		if m.Token != nil {
			t.raws--
		}
		if t.byToken[m.key] == m {
			delete(t.byToken, m.key)
			delete(t.ids, binary.BigEndian.Uint32(m.key[:]))
		}
		const most32 = 1 << 20 // that are remembered for not being unknown
		if len(t.dropped) > most32 {
			clear(t.dropped)
		}
		t.dropped[binary.BigEndian.Uint64(m.key[:])] = struct{}{}
		m.before = nil
		if f := a.files[m.file].traffic; f != nil {
			f.mints = slices.DeleteFunc(f.mints, func(n *mint) bool { return n == m })
		}
		most--
		a.aged.tokens++
		return true
	})
}

// ageConns forgets most of the oldest connections that are closed, or silent for long.
func (a *Analyzer) ageConns(most int) {
	listed := make([]*conn, len(a.conns))
	for _, c := range a.byID {
		if c.pub > 0 {
			listed[c.pub-1] = c
		}
	}
	stay := a.conns[:0]
	for i, c := range listed {
		if most > 0 && (c == nil || c.closed || a.byKey[c.key] != c || a.ripens(c.lastTime)) && c != a.at {
			if c != nil {
				a.endConn(c)
				c.pub = -1
				delete(a.byID, c.id)
			}
			most--
			a.aged.conns++
			continue
		}
		stay = append(stay, a.conns[i])
		if c != nil {
			c.pub = len(stay)
		}
	}
	clear(a.conns[len(stay):])
	a.conns = stay
}

// ageSessions forgets most sessions whose connections are all over and that nothing
// refers to. Their places, and those of their tree connects, are used again.
func (a *Analyzer) ageSessions(most int) {
	g := &a.aged
	sessions, trees := make([]bool, len(a.sessions)), make([]bool, len(a.trees))
	sessions[0], trees[0] = true, true
	for i := a.exchanges.list.gone; i < a.exchanges.list.n; i++ {
		e := a.exchanges.at(uint32(i))
		sessions[e.session], trees[e.tree] = true, true
	}
	for _, w := range a.copies.waiting {
		sessions[w.session], trees[w.tree] = true, true
	}
	for i := range a.sessions {
		s := &a.sessions[i]
		for _, id := range s.conns {
			if c := a.byID[id]; c != nil && !c.closed && a.byKey[c.key] == c {
				sessions[i] = true
			}
		}
		if !sessions[i] && s.opens != 0 {
			a.sessionOver(uint32(i), false) // its client is gone
		}
	}
	for _, i := range a.openByKey {
		sessions[a.opens[i].session], trees[a.opens[i].tree] = true, true
	}
	for _, i := range a.durable {
		sessions[a.opens[i].session], trees[a.opens[i].tree] = true, true
	}
	for i := range a.sessions {
		for after, n := a.sessions[i].after, 0; sessions[i] && after != 0 && n < 1000; n++ {
			sessions[after] = true
			after = a.sessions[after].after
		}
	}
	a.eachCall(func(k *Call) { trees[k.tree] = true })
	for _, m := range a.copies.tokens.list {
		trees[m.tree] = true
	}
	for i := 1; i < len(a.sessions) && most > 0; i++ {
		s := &a.sessions[i]
		if sessions[i] || s.id == 0 {
			continue
		}
		if k := (sessionKey{s.server, s.id}); a.sessionByKey[k] == uint32(i) {
			delete(a.sessionByKey, k)
		}
		for _, t := range s.trees {
			if k := (treeKey{uint32(i), a.trees[t].id}); a.treeByKey[k] == t {
				delete(a.treeByKey, k)
			}
			if !trees[t] {
				a.trees[t] = treeState{}
				g.freeTrees = append(g.freeTrees, t)
			}
		}
		for _, id := range s.conns {
			if c := a.byID[id]; c != nil {
				c.sessions = slices.DeleteFunc(c.sessions, func(have uint32) bool { return have == uint32(i) })
			}
		}
		*s = sessionState{}
		g.freeSessions = append(g.freeSessions, uint32(i))
		most--
		g.sessions++
	}
}

// eachCall yields the calls that are kept.
func (a *Analyzer) eachCall(yield func(*Call)) {
	each := func(list []Call) {
		for i := range list {
			yield(&list[i])
		}
	}
	for _, y := range a.copies.list {
		each(y.Calls)
		if y.final != nil {
			each(y.final.Calls)
		}
	}
	for _, list := range a.copies.orphans {
		each(list)
	}
	each(a.copies.loose)
	for _, m := range a.copies.tokens.list {
		if m.call != nil {
			yield(m.call)
		}
	}
}

// staleAfter is how many rounds of tidying a file may be out of use before its traffic is
// forgotten.
const staleAfter = 3

// ripen forgets what happened to files that nobody has used for long, so that they can
// go, too.
func (a *Analyzer) ripen() {
	used := make([]bool, len(a.files))
	for i, marked := range a.litter.marked.opens {
		if marked {
			used[a.opens[i].file] = true
		}
	}
	for i := range a.files {
		if f := &a.files[i]; i > 0 && !used[i] && f.round+staleAfter < a.litter.rounds && f.traffic != nil {
			a.settle(uint32(i))
			f.traffic = nil
		}
	}
	for o := range a.copies.orphans {
		if f := &a.files[o.file]; f.traffic == nil {
			delete(a.copies.orphans, o)
		}
	}
}

// problems says what was forgotten.
func (g *aged) problems(say func(format string, args ...any)) {
	for _, k := range []struct {
		n    int
		what string
	}{{g.conns, "connections"}, {g.sessions, "sessions"}, {g.copies, "copies"}, {g.tokens, "tokens"}} {
		if k.n > 0 {
			say("%d %s that were over have been forgotten, to go on: the newest %d are kept", k.n, k.what, g.keep)
		}
	}
}
