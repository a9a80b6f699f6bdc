package server

import (
	"strings"

	"github.com/odxray/odxray/dissect/dtyp"
	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
)

// Bits of a NotifyFilter. [MS-SMB2] 2.2.35
const (
	notifyFileName   fscc.NotifyFilter = 0x001
	notifyDirName    fscc.NotifyFilter = 0x002
	notifyAttributes fscc.NotifyFilter = 0x004
	notifySize       fscc.NotifyFilter = 0x008
	notifyWrite      fscc.NotifyFilter = 0x010
	notifyCreation   fscc.NotifyFilter = 0x040
	notifyEA         fscc.NotifyFilter = 0x080
)

// watch is what an open directory wants to know, and does not know yet. Server.mu guards
// it. The first CHANGE_NOTIFY of an open settles filter, tree and room.
type watch struct {
	file     *file
	filter   fscc.NotifyFilter
	tree     bool
	room     int // bytes of events that are kept
	filled   int // bytes
	events   []event
	overflow bool
	waiting  []*watcher // the first gets the next event
}

// watcher is one CHANGE_NOTIFY that waits.
type watcher struct {
	ready    chan struct{} // closed once what follows is settled
	settled  bool
	status   status
	events   []event
	overflow bool
}

type event struct {
	action fscc.Action
	name   string
}

// maxEvents is how many changes are kept for a directory; after that it is just many.
const maxEvents = 512

func notifyName(directory bool) fscc.NotifyFilter {
	if directory {
		return notifyDirName
	}
	return notifyFileName
}

// change is something that happened to a path.
type change struct {
	path      string
	action    fscc.Action
	what      fscc.NotifyFilter
	otherwise bool // it is told to those only who were not told the one before it
}

// changed tells those who watch that something happened to path.
func (s *Server) changed(path string, action fscc.Action, what fscc.NotifyFilter) {
	s.changedAll(change{path: path, action: action, what: what})
}

// changedAll tells of changes that belong together: they are told in one answer.
func (s *Server) changedAll(list ...change) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for w := range s.watches {
		told := false
		for _, c := range list {
			if !c.otherwise || !told {
				told = w.add(c)
			}
		}
		w.deliver()
	}
}

// add keeps a change if w is for such, and tells whether it is. Server.mu is held.
func (w *watch) add(c change) bool {
	dir := w.file.path
	if w.filter&c.what == 0 || c.path == dir {
		return false
	}
	name := c.path
	if dir != "" {
		var below bool
		if name, below = strings.CutPrefix(c.path, dir+"/"); !below {
			return false
		}
	}
	if !w.tree && strings.Contains(name, "/") {
		return false
	}
	e := event{c.action, name}
	if last := len(w.events) - 1; last >= 0 && w.events[last] == e && e.action == fscc.ActionModified {
		return true
	}
	const head = 12 // NextEntryOffset, Action, FileNameLength
	w.filled += head + 2*len(name)
	if len(w.events) >= maxEvents || w.filled > w.room {
		w.overflow, w.events = true, nil
	}
	if !w.overflow {
		w.events = append(w.events, e)
	}
	return true
}

// deliver gives what there is to the first who waits. Server.mu is held.
func (w *watch) deliver() {
	if len(w.waiting) == 0 || !w.overflow && len(w.events) == 0 {
		return
	}
	next := w.waiting[0]
	next.events, next.overflow = w.events, w.overflow
	w.events, w.overflow, w.filled = nil, false, 0
	w.settle(ntstatus.Success)
}

// settle ends the wait of the first. Server.mu is held.
func (w *watch) settle(st status) {
	next := w.waiting[0]
	w.waiting = w.waiting[1:]
	next.settled, next.status = true, st
	close(next.ready)
}

// leave takes a watcher out that waits no longer. Server.mu is held.
func (w *watch) leave(one *watcher) {
	for i, other := range w.waiting {
		if other == one {
			w.waiting = append(w.waiting[:i:i], w.waiting[i+1:]...)
			return
		}
	}
}

// doom has those who watch a directory know that it is about to be deleted. Server.mu is
// held.
func (f *file) doom() {
	f.deletePending = true
	for _, o := range f.opens {
		for w := o.watch; w != nil && len(w.waiting) > 0; {
			w.settle(ntstatus.DeletePending)
		}
	}
}

// changeNotify serves CHANGE_NOTIFY. [MS-SMB2] 3.3.5.19
func (r *request) changeNotify(m *smb2.ChangeNotifyRequest) status {
	o, st := r.findFile(m.File)
	if st != ntstatus.Success {
		return st
	}
	if !r.charged(m.OutputLength) || !o.file.directory {
		return ntstatus.InvalidParameter
	}
	if st := o.needs(dtyp.ReadData); st != ntstatus.Success {
		return st
	}
	s := r.c.s
	s.mu.Lock()
	if o.file.deletePending {
		s.mu.Unlock()
		return ntstatus.DeletePending
	}
	w := o.watch
	if w == nil {
		w = &watch{file: o.file, filter: m.Filter, tree: m.Flags&1 != 0, room: int(m.OutputLength)}
		o.watch = w
		s.watches[w] = true
	}
	if len(w.waiting) == 0 && (w.overflow || len(w.events) > 0) {
		now := &watcher{ready: make(chan struct{})}
		w.waiting = append(w.waiting, now)
		w.deliver()
		s.mu.Unlock()
		return r.report(now, int(m.OutputLength))
	}
	s.mu.Unlock()
	if r.middle {
		return ntstatus.InternalError // as Windows has it: it could wait for ever
	}
	if !r.begin() {
		return ntstatus.InsufficientResources
	}
	one := &watcher{ready: make(chan struct{})}
	s.mu.Lock()
	w.waiting = append(w.waiting, one)
	w.deliver() // something may have happened meanwhile
	s.mu.Unlock()
	r.wait(one.ready, 0)
	s.mu.Lock()
	w.leave(one)
	s.mu.Unlock()
	switch {
	case one.settled && one.status == ntstatus.Success:
		return r.report(one, int(m.OutputLength))
	case one.settled:
		return one.status
	case o.closed:
		return ntstatus.NotifyCleanup
	}
	return ntstatus.Cancelled
}

// report answers with what happened.
func (r *request) report(w *watcher, limit int) status {
	var l fscc.Listing
	fits := !w.overflow
	for _, e := range w.events {
		c := fscc.Change{Action: e.action, Name: wire.AppendUTF16(nil, strings.ReplaceAll(e.name, "/", `\`))}
		if fits = fits && l.AddChange(&c, limit); !fits {
			break
		}
	}
	if !fits {
		r.body = smb2.AppendOutput(nil, nil)
		return ntstatus.NotifyEnumDir
	}
	r.body = smb2.AppendOutput(nil, l.Raw)
	return ntstatus.Success
}
