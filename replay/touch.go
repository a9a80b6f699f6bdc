package replay

// What a request has to do with: files, listings, handles. Two requests that have
// something in common keep their order.

import (
	"strings"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/smb2"
)

// access is how a request touches a thing. [reads] agree among themselves, and so do
// [adds]; all else keeps its order.
type access uint8

const (
	reads access = iota
	writes
	adds // a name to a directory, or takes one away
)

func (a access) agrees(b access) bool { return a == b && a != writes }

// touch is a thing and how it is touched. Writes and reads of parts of a file that do not
// meet agree too.
type touch struct {
	thing      string
	access     access
	from, upto uint64 // upto 0: all of it
}

func (t touch) agrees(o touch) bool {
	if t.access.agrees(o.access) {
		return true
	}
	return t.upto != 0 && o.upto != 0 && (t.upto <= o.from || o.upto <= t.from)
}

// touches lists what a step has to do with.
func (p *Plan) touches(s *Step) (list []touch) {
	add := func(thing string, a access) { list = append(list, touch{thing: thing, access: a}) }
	share := ""
	if s.Tree >= 0 {
		share = p.Slots[s.Tree].Path
	}
	thing := func(path string) string { return thingOf(share, path) }
	on := func(path string) { list = append(list, p.changed(share, path)...) }
	path := s.Exchange.File
	ranged := func(a access) {
		t := touch{thing: thing(path), access: a}
		if x := &s.Exchange; x.HasRange {
			t.from, t.upto = x.Offset, max(x.Offset+max(x.Length, 1), 1)
		}
		list = append(list, t)
		if a == writes {
			add(thing(parent(path))+`\*`, adds)
		}
	}
	for _, u := range s.Uses {
		if k := p.Slots[u.Slot].Kind; k == SlotFile && (s.Header.Command == smb2.QueryDirectory || s.Header.Command == smb2.ChangeNotify) {
			add(p.Slots[u.Slot].String(), writes)
		}
	}
	switch s.Header.Command {
	case smb2.Create:
		on(path)
		for _, u := range s.Uses { // a file that it takes up again
			if f := &p.Slots[u.Slot]; f.Kind == SlotFile && f.Path != path {
				on(f.Path)
			}
		}
		if path != "" {
			add(thing(parent(path)), reads)
		}
	case smb2.Close, smb2.Lock:
		on(path)
	case smb2.SetInfo:
		on(path)
		if to := renamed(s.Request); to != "" {
			on(to)
		}
	case smb2.Write:
		ranged(writes)
	case smb2.Read:
		ranged(reads)
	case smb2.Flush, smb2.QueryInfo:
		add(thing(path), reads)
	case smb2.QueryDirectory, smb2.ChangeNotify:
		if watchesTree(s) {
			add(thing(path)+`\**`, reads)
		}
		add(thing(path)+`\*`, reads)
		add(thing(path), reads)
	case smb2.Ioctl:
		switch s.Exchange.Function {
		case fscc.CopyChunk, fscc.CopyChunkWrite, fscc.OffloadWrite, fscc.DuplicateExtents, fscc.DuplicateExtentsEx, fscc.SetZeroData:
			ranged(writes)
		case fscc.OffloadRead, fscc.QueryAllocatedRanges, fscc.RequestResumeKey:
			add(thing(path), reads)
		default:
			on(path)
		}
		for _, u := range s.Uses { // what is copied from
			if from := p.Slots[u.Slot].Path; from != "" && from != path && !p.Slots[u.Slot].Kind.ours() {
				add(thing(from), reads)
			}
		}
	}
	return list
}

// parent returns the directory that a path is in: "" for the share itself.
func parent(path string) string {
	i := strings.LastIndexByte(path, '\\')
	return path[:max(i, 0)]
}

// thingOf names a file. Streams live and die with theirs.
func thingOf(share, path string) string {
	path, _, _ = strings.Cut(strings.ToLower(path), ":")
	return strings.ToLower(share) + "|" + straight(path)
}

// changed is what has to do with a change of a path: it, the directory's listing, and
// whoever watches the tree that it is in.
func (p *Plan) changed(share, path string) []touch {
	list := []touch{{thing: thingOf(share, path), access: writes}}
	if path == "" {
		return list
	}
	list = append(list, touch{thing: thingOf(share, parent(straight(path))) + `\*`, access: adds})
	for dir := straight(path); dir != "" && len(p.trees) > 0; {
		dir = parent(dir)
		if t := thingOf(share, dir) + `\**`; p.trees[t] {
			list = append(list, touch{thing: t, access: adds})
		}
	}
	return list
}

// watchesTree reports whether a CHANGE_NOTIFY is about all that is below a directory.
func watchesTree(s *Step) bool {
	const watchTree = 0x0001
	return s.Header.Command == smb2.ChangeNotify && len(s.Request) > headerSize+3 && le.Uint16(s.Request[headerSize+2:])&watchTree != 0
}

// watched notes the trees that somebody watches.
func (p *Plan) watched() {
	p.trees = make(map[string]bool)
	for i := range p.Steps {
		if s := &p.Steps[i]; watchesTree(s) {
			share := ""
			if s.Tree >= 0 {
				share = p.Slots[s.Tree].Path
			}
			p.trees[thingOf(share, s.Exchange.File)+`\**`] = true
		}
	}
}

// straight takes the ways up and round out of a path.
func straight(path string) string {
	if !strings.Contains(path, ".") {
		return path
	}
	var list []string
	for _, name := range strings.Split(path, `\`) {
		switch {
		case name == ".":
		case name == ".." && len(list) > 0:
			list = list[:len(list)-1]
		default:
			list = append(list, name)
		}
	}
	return strings.Join(list, `\`)
}
