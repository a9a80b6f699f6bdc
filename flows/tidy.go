package flows

// What a long pass must not pile up. With an index everything that was seen is kept,
// for it may be looked at. Without one, names, opens and files that nothing refers to
// any more make room for others: they are marked from all that refers to them, now and
// then, and the rest goes.

import "github.com/odxray/odxray/dissect/smb2"

// tidyAfter is how many names, opens and files are made between two rounds, at least.
// A file that nobody has open is forgotten in the round after the next: a client that
// comes back to it soon finds what was known of it.
const tidyAfter = 1 << 14

// litter counts what was made since the last round.
type litter struct {
	made   int
	kept   int // by the last round
	rounds uint32
	always bool // for tests

	freeNames []uint32
	freeFiles []uint32
	marked    struct{ names, opens, files []bool }
}

// tidy makes a round if it is time. No exchange may be at hand.
func (a *Analyzer) tidy() {
	l := &a.litter
	if a.index != nil && a.aged.keep == 0 || l.made < max(tidyAfter, l.kept) && !l.always {
		return
	}
	l.rounds++
	m := &l.marked
	m.names, m.opens, m.files = unmarked(m.names, len(a.names)), unmarked(m.opens, len(a.opens)), unmarked(m.files, len(a.files))
	m.names[0], m.opens[0], m.files[0] = true, true, true
	a.markOpens()
	if a.aged.keep > 0 {
		a.ripen()
	}
	a.markFiles()
	a.markNames()
	l.made, l.kept = 0, 0
	a.sweep()
}

func unmarked(marks []bool, n int) []bool {
	if cap(marks) < n {
		return make([]bool, n+n/4)[:n]
	}
	marks = marks[:n]
	clear(marks)
	return marks
}

// markOpens marks the opens that exist, or that an exchange is on.
func (a *Analyzer) markOpens() {
	marks := a.litter.marked.opens
	for _, i := range a.openByKey {
		marks[i] = true
	}
	for _, i := range a.durable {
		marks[i] = true
	}
	for i := a.exchanges.list.gone; i < a.exchanges.list.n; i++ {
		marks[a.exchanges.at(uint32(i)).open] = true
	}
}

// markFiles marks the files that something refers to by their index.
func (a *Analyzer) markFiles() {
	marks := a.litter.marked.files
	for i, marked := range a.litter.marked.opens {
		if marked {
			marks[a.opens[i].file] = true
		}
	}
	a.copies.eachFile(func(i uint32) { marks[i] = true })
	for i := range a.files {
		f := &a.files[i]
		if f.round+1 >= a.litter.rounds || f.traffic.needed() {
			marks[i] = true
		}
		f.traffic.eachFile(func(i uint32) { marks[i] = true })
	}
}

// eachFile yields the files that the table refers to.
func (t *copyTable) eachFile(yield func(uint32)) {
	for _, y := range t.list {
		yield(y.from)
		yield(y.to)
	}
	for _, i := range t.keys {
		yield(i)
	}
	for k := range t.orphans {
		yield(k.file)
	}
	for _, m := range t.tokens.list {
		yield(m.file)
	}
	for _, m := range t.tokens.byToken {
		for ; m != nil; m = m.before {
			yield(m.file)
		}
	}
	for _, i := range t.breaks.leases {
		yield(i)
	}
	for i := range t.breaks.list {
		yield(t.breaks.list[i].file)
	}
	for _, r := range t.recent.list {
		yield(r.file)
	}
}

// needed reports whether copies or tokens depend on what is known of the file's bytes.
func (t *traffic) needed() bool {
	return t != nil && (t.watched || len(t.mints)+len(t.pairs)+len(t.into)+len(t.outOf) > 0)
}

// eachFile yields the other files that t refers to.
func (t *traffic) eachFile(yield func(uint32)) {
	if t == nil {
		return
	}
	for _, p := range t.pairs {
		yield(p.from.file)
	}
}

// markNames marks the names of what is marked.
func (a *Analyzer) markNames() {
	m := &a.litter.marked
	for i := a.exchanges.list.gone; i < a.exchanges.list.n; i++ {
		e := a.exchanges.at(uint32(i))
		m.names[e.name] = true
		if e.command == smb2.SessionSetup || e.command == smb2.SetInfo { // host is no name elsewhere
			m.names[e.host] = true
		}
	}
	for i, marked := range m.opens {
		if marked {
			m.names[a.opens[i].name] = true
		}
	}
	for i, marked := range m.files {
		if marked {
			f := &a.files[i]
			m.names[f.name], m.names[f.share], m.names[f.volume] = true, true, true
		}
	}
	for k, i := range a.fileByKey { // after a rename, not the name that the file has
		if m.files[i] {
			m.names[k.name], m.names[k.volume] = true, true
		}
	}
	for k := range a.copies.accepts {
		m.names[k.volume] = true
	}
	for i := range a.trees {
		m.names[a.trees[i].volume] = true
	}
	for _, h := range a.caching.holds {
		m.names[h.name] = true
	}
}

// sweep makes the places free of what is not marked.
func (a *Analyzer) sweep() {
	l := &a.litter
	a.freeOpens, l.freeFiles, l.freeNames = a.freeOpens[:0], l.freeFiles[:0], l.freeNames[:0]
	for i, marked := range l.marked.opens {
		if !marked {
			a.opens[i] = openState{}
			a.freeOpens = append(a.freeOpens, uint32(i))
		}
	}
	for k, i := range a.fileByKey {
		if !l.marked.files[i] {
			delete(a.fileByKey, k)
		}
	}
	for i, marked := range l.marked.files {
		if !marked {
			a.files[i] = file{}
			l.freeFiles = append(l.freeFiles, uint32(i))
		}
	}
	for name, i := range a.nameIndex {
		if !l.marked.names[i] {
			delete(a.nameIndex, name)
		}
	}
	for i, marked := range l.marked.names {
		if !marked {
			a.names[i] = ""
			l.freeNames = append(l.freeNames, uint32(i))
		}
	}
	l.kept = len(a.opens) - len(a.freeOpens) + len(a.files) - len(l.freeFiles) + len(a.names) - len(l.freeNames)
}

// place returns where in a list to put one more thing: in a free place, or at its end,
// where grow makes one.
func place(free *[]uint32, n int, grow func()) uint32 {
	if k := len(*free); k > 0 {
		i := (*free)[k-1]
		*free = (*free)[:k-1]
		return i
	}
	grow()
	return uint32(n)
}
