package replay

// What a capture presupposes: the files and directories that were there before it.

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/flows/report"
)

// Entry is a file or directory that has to be there before a replay.
type Entry struct {
	Tree       int    // slot of a tree of its share
	Path       string // as captured, relative to the share
	Directory  bool
	Size       uint64 // bytes
	Attributes fscc.Attributes
	Known      []Bytes // what the capture shows of its content
	Frame      int     // that shows it
}

// Bytes are bytes of a file.
type Bytes struct {
	Offset uint64
	Data   []byte
}

// presence is what is known of a path at a moment of the capture.
type presence uint8

const (
	unknown presence = iota
	before           // it was there before the capture
	made             // the capture made it
	absent
)

// manifest is the state of Manifest.
type manifest struct {
	plan      *Plan
	state     map[string]presence
	entries   map[string]*Entry
	changed   map[string]bool // contents
	snapshots map[string]bool // paths in them
	doomed    map[int]bool    // slots of opens that delete when they close
	d         decoder
}

// Manifest lists what has to be there before the plan's steps, directories before what is
// in them.
func (p *Plan) Manifest() []*Entry {
	m := manifest{plan: p, state: make(map[string]presence), entries: make(map[string]*Entry), changed: make(map[string]bool), doomed: make(map[int]bool), snapshots: make(map[string]bool)}
	for i := range p.Steps {
		if s := &p.Steps[i]; s.Skip == "" && s.Answered() && s.Tree >= 0 && !p.Slots[s.Tree].Pipe && !isIPC(p.Slots[s.Tree].Path) {
			m.step(s)
		}
	}
	var list []*Entry
	for _, e := range m.entries {
		list = append(list, e)
	}
	slices.SortFunc(list, func(a, b *Entry) int {
		return cmp.Or(strings.Compare(strings.ToLower(a.Path), strings.ToLower(b.Path)), cmp.Compare(a.Tree, b.Tree))
	})
	return list
}

func (m *manifest) key(s *Step, path string) string {
	return strings.ToLower(shareOf(m.plan.Slots[s.Tree].Path) + "|" + path)
}

// suppose takes it that a path was there, unless something is known of it already.
func (m *manifest) suppose(s *Step, path string, directory bool, size uint64, attributes fscc.Attributes) {
	k := m.key(s, path)
	if path == "" || climbs(path) || m.state[k] != unknown {
		return
	}
	if m.inside(s, path); m.under(s, path) == made {
		m.state[k] = made // whoever did, after its directory
		return
	}
	m.state[k] = before
	m.entries[k] = &Entry{Tree: s.Tree, Path: path, Directory: directory, Size: size, Attributes: attributes, Frame: s.Exchange.AnswerFrame}
}

// inside takes it that the directory of a path was there, and of a stream its file.
func (m *manifest) inside(s *Step, path string) {
	if file, stream, ok := strings.Cut(path, ":"); ok && stream != "" && file != "" {
		m.suppose(s, file, false, 0, 0)
		return
	}
	m.suppose(s, parent(path), true, 0, 0)
}

// under says whether what a path is in was there, or was made; a stream is in its file.
func (m *manifest) under(s *Step, path string) presence {
	file, _, stream := strings.Cut(path, ":")
	if !stream || file == "" {
		file = parent(path)
	}
	switch m.state[m.key(s, file)] {
	case made, absent:
		return made
	}
	return before
}

func (m *manifest) step(s *Step) {
	path, status := s.Exchange.File, statusOf(s.Answer)
	if s.Header.Command == smb2.Create && m.ofSnapshot(s) {
		m.snapshots[m.key(s, path)] = true
	}
	if m.snapshots[m.key(s, path)] {
		return // nobody can make the past
	}
	switch s.Header.Command {
	case smb2.Create:
		m.create(s, path, status)
	case smb2.QueryDirectory:
		if status == 0 && m.state[m.key(s, path)] != made {
			m.listed(s, path)
		}
	case smb2.Read:
		if e := m.entries[m.key(s, path)]; e != nil && status == 0 && !m.changed[m.key(s, path)] {
			if body, ok := m.d.decode(s.Answer, s.AnsSize, &s.Context, slotWant).Body.(*smb2.ReadResponse); ok && len(body.Data) > 0 {
				e.Known = append(e.Known, Bytes{s.Exchange.Offset, slices.Clone(body.Data)})
				e.Size = max(e.Size, s.Exchange.Offset+uint64(len(body.Data)))
			}
		}
	case smb2.Write:
		m.changed[m.key(s, path)] = true
	case smb2.Ioctl:
		switch s.Exchange.Function {
		case fscc.CopyChunk, fscc.CopyChunkWrite, fscc.OffloadWrite, fscc.DuplicateExtents, fscc.DuplicateExtentsEx, fscc.SetZeroData:
			m.changed[m.key(s, path)] = true
		}
	case smb2.SetInfo:
		if status == 0 {
			m.setInfo(s, path)
		}
	case smb2.Close:
		for _, u := range s.Uses {
			if m.doomed[u.Slot] {
				m.state[m.key(s, m.plan.Slots[u.Slot].Path)] = absent
			}
		}
	}
}

// ofSnapshot reports whether a CREATE opens something in a snapshot.
func (m *manifest) ofSnapshot(s *Step) bool {
	name, _ := createName(s.Request)
	return snapshotToken.MatchString(name) || m.d.timeWarp(s.Request) > 0
}

func (m *manifest) create(s *Step, path string, status smb2.Status) {
	k := m.key(s, path)
	body, _ := m.d.decode(s.Answer, s.AnsSize, &s.Context, slotWant).Body.(*smb2.CreateResponse)
	options := le.Uint32(s.Request[min(headerSize+40, len(s.Request)-4):])
	switch {
	case status == 0 && body != nil:
		directory := body.Attributes&0x10 != 0
		if body.Action == smb2.ActionCreated {
			m.inside(s, path)
			m.state[k] = made
		} else {
			if m.state[k] == absent { // it was made since, or another open kept it
				m.state[k] = made
			}
			m.suppose(s, path, directory, body.EndOfFile, body.Attributes)
			if body.Action != smb2.ActionOpened {
				m.changed[k] = true
			}
		}
		if smb2.CreateOptions(options)&smb2.OptionDeleteOnClose != 0 {
			for _, u := range s.Defines {
				m.doomed[u.Slot] = true
			}
		}
	case status == 0xc0000034 && m.state[k] == unknown: // OBJECT_NAME_NOT_FOUND
		m.inside(s, path)
		m.state[k] = absent
	case status == 0xc0000035, status == 0xc0000043, status == 0xc0000103: // OBJECT_NAME_COLLISION, SHARING_VIOLATION, NOT_A_DIRECTORY
		m.suppose(s, path, smb2.CreateOptions(options)&smb2.OptionDirectory != 0 && status != 0xc0000103, 0, 0)
	case status == 0xc00000ba: // FILE_IS_A_DIRECTORY
		m.suppose(s, path, true, 0, 0)
	}
}

// listed takes it that all that a listing shows was there.
func (m *manifest) listed(s *Step, dir string) {
	m.d.decode(s.Answer, s.AnsSize, &s.Context, nil)
	t := &m.d.tree
	type found struct {
		name       string
		size       uint64
		attributes fscc.Attributes
	}
	var list []found
	for i := range t.Nodes {
		n := &t.Nodes[i]
		if n.Field.Kind != wire.KindStruct || n.End == 0 {
			continue
		}
		var f found
		nested := false
		for j := i + 1; j < int(n.End); j++ {
			switch c := &t.Nodes[j]; {
			case c.Field.Kind == wire.KindStruct:
				nested = true
			case c.Field.Name == "smb2.filename":
				f.name = t.Value(j)
			case c.Field.Name == "smb2.eof", c.Field.Name == "smb2.end_of_file", c.Field.Name == "smb.end_of_file", c.Field.Name == "odx.info.eof":
				f.size = c.Val
			case c.Field.Name == "smb2.file_attribute", c.Field.Name == "smb.file_attribute":
				f.attributes = fscc.Attributes(c.Val)
			}
		}
		if !nested && f.name != "" && f.name != "." && f.name != ".." {
			list = append(list, f)
		}
	}
	for _, f := range list {
		m.suppose(s, joined(dir, f.name), f.attributes&0x10 != 0, f.size, f.attributes)
	}
}

func (m *manifest) setInfo(s *Step, path string) {
	if to := strings.TrimPrefix(renamed(s.Request), `\`); to != "" && !strings.HasPrefix(to, ":") {
		if s.Request[headerSize+3] == renameInformation || s.Request[headerSize+3] == renameInformationEx {
			m.state[m.key(s, path)] = absent
		}
		m.inside(s, to)
		m.state[m.key(s, to)] = made
		return
	}
	const disposition, dispositionEx, endOfFile = 13, 64, 20
	switch {
	case len(s.Request) < headerSize+33 || s.Request[headerSize+2] != 1:
	case s.Request[headerSize+3] == disposition, s.Request[headerSize+3] == dispositionEx:
		off := int(le.Uint16(s.Request[headerSize+8:]))
		doomed := off < len(s.Request) && s.Request[off]&1 != 0
		for _, u := range s.Uses {
			m.doomed[u.Slot] = doomed
		}
	case s.Request[headerSize+3] == endOfFile:
		m.changed[m.key(s, path)] = true
	}
}

// WriteManifest prints what has to be there.
func WriteManifest(w io.Writer, list []*Entry) error {
	for _, e := range list {
		what := report.Size(e.Size)
		if e.Directory {
			what = "directory"
		}
		if _, err := fmt.Fprintf(w, "  %-10s %s\n", what, report.Escape(e.Path)); err != nil {
			return err
		}
	}
	return nil
}
