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
)

// watch is what an open directory wants to know, and does not know yet. Server.mu guards
// it. The first CHANGE_NOTIFY of an open settles filter and tree.
type watch struct {
	file     *file
	filter   fscc.NotifyFilter
	tree     bool
	events   []event
	overflow bool
	news     chan struct{} // closed when there is something; nil if nobody waits
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

// changed tells those who watch that something happened to path.
func (s *Server) changed(path string, action fscc.Action, what fscc.NotifyFilter) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for w := range s.watches {
		dir := w.file.path
		if w.filter&what == 0 || path == dir {
			continue
		}
		name := path
		if dir != "" {
			var below bool
			if name, below = strings.CutPrefix(path, dir+"/"); !below {
				continue
			}
		}
		if !w.tree && strings.Contains(name, "/") {
			continue
		}
		if last := len(w.events) - 1; last >= 0 && w.events[last] == (event{action, name}) && action == fscc.ActionModified {
			continue
		}
		if len(w.events) >= maxEvents {
			w.overflow, w.events = true, nil
		}
		if !w.overflow {
			w.events = append(w.events, event{action, name})
		}
		if w.news != nil {
			close(w.news)
			w.news = nil
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
	for {
		s.mu.Lock()
		w := o.watch
		if w == nil {
			w = &watch{file: o.file, filter: m.Filter, tree: m.Flags&1 != 0}
			o.watch = w
			s.watches[w] = true
		}
		if w.overflow || len(w.events) > 0 {
			st := r.report(w, int(m.OutputLength))
			s.mu.Unlock()
			return st
		}
		if w.news == nil {
			w.news = make(chan struct{})
		}
		news := w.news
		s.mu.Unlock()
		if r.middle {
			return ntstatus.InternalError // as Windows has it: it could wait for ever
		}
		if !r.begin() {
			return ntstatus.InsufficientResources
		}
		if ok, _ := r.wait(news, 0); !ok {
			if o.closed {
				return ntstatus.NotifyCleanup
			}
			return ntstatus.Cancelled
		}
	}
}

// report answers with what happened. Server.mu is held.
func (r *request) report(w *watch, limit int) status {
	var l fscc.Listing
	fits := !w.overflow
	for _, e := range w.events {
		c := fscc.Change{Action: e.action, Name: wire.AppendUTF16(nil, strings.ReplaceAll(e.name, "/", `\`))}
		if fits = fits && l.AddChange(&c, limit); !fits {
			break
		}
	}
	w.events, w.overflow = nil, false
	if !fits {
		r.body = smb2.AppendOutput(nil, nil)
		return ntstatus.NotifyEnumDir
	}
	r.body = smb2.AppendOutput(nil, l.Raw)
	return ntstatus.Success
}
