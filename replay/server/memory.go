package server

import (
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/odxray/odxray/dissect/dtyp"
	"github.com/odxray/odxray/dissect/fscc"
)

// memory is a Store in memory. Files are made of blocks, and a block that was never
// written is a hole.
type memory struct {
	mu    sync.RWMutex // guards the tree of nodes, and what they hold
	root  *node
	next  uint64
	most  int64 // bytes of blocks
	used  int64
	nodes int
}

// blockSize is how much of a file is a hole or not.
const blockSize = 64 << 10

// maxNodes bounds files, directories and streams together; maxFileSize is that of NTFS.
const (
	maxNodes    = 1 << 18
	maxFileSize = 0xfffffff0000
)

// node is a file, a directory or a stream.
type node struct {
	m          *memory
	id         uint64
	stream     uint64 // of a stream: its own number; id is the file's
	name       string
	parent     *node
	children   map[string]*node // of a directory, by folded name
	streams    map[string]*node
	links      uint32
	open       int // objects that somebody has
	size       int64
	blocks     map[int64]*[blockSize]byte
	times      fscc.Times
	attributes fscc.Attributes
}

// NewMemory makes a Store that holds up to size bytes in memory. Holes take none.
func NewMemory(size int64) Store {
	m := &memory{most: size}
	m.root = m.node("", nil, true)
	return m
}

func fold(name string) string { return strings.ToUpper(name) }

// node makes a node. m.mu is held, or m is new.
func (m *memory) node(name string, parent *node, directory bool) *node {
	m.next++
	m.nodes++
	t := dtyp.FileTimeOf(time.Now())
	n := &node{m: m, id: m.next, name: name, parent: parent, links: 1, times: fscc.Times{Creation: t, LastAccess: t, LastWrite: t, Change: t}}
	if directory {
		n.children = map[string]*node{}
		n.attributes = fscc.AttributeDirectory
	} else {
		n.blocks = map[int64]*[blockSize]byte{}
		n.attributes = fscc.AttributeArchive
	}
	return n
}

// find follows a path. m.mu is held.
func (m *memory) find(p string) (*node, error) {
	n := m.root
	if p == "" {
		return n, nil
	}
	parts := strings.Split(p, "/")
	for i, name := range parts {
		if n.children == nil {
			return nil, errPath
		}
		child := n.children[fold(name)]
		if child == nil {
			if i < len(parts)-1 {
				return nil, errPath
			}
			return nil, fs.ErrNotExist
		}
		n = child
	}
	return n, nil
}

// above finds the directory of a path. m.mu is held.
func (m *memory) above(p string) (dir *node, name string, err error) {
	d, name := path.Split(p)
	dir, err = m.find(strings.TrimSuffix(d, "/"))
	if err != nil || dir.children == nil {
		return nil, "", errPath
	}
	return dir, name, nil
}

func (m *memory) Stat(p string) (Attr, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	n, err := m.find(p)
	if err != nil {
		return Attr{}, err
	}
	return n.attr(), nil
}

func (m *memory) Open(p, stream string) (Object, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.find(p)
	if err != nil {
		return nil, err
	}
	if stream != "" {
		if n = n.streams[fold(stream)]; n == nil {
			return nil, fs.ErrNotExist
		}
	}
	n.open++
	return n, nil
}

func (m *memory) Create(p, stream string, directory bool) (Object, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.nodes >= maxNodes {
		return nil, errFull
	}
	if stream != "" {
		of, err := m.find(p)
		if err != nil {
			return nil, err
		}
		if of.streams[fold(stream)] != nil {
			return nil, fs.ErrExist
		}
		n := m.node(stream, of, false)
		n.stream, n.id = n.id, of.id
		if of.streams == nil {
			of.streams = map[string]*node{}
		}
		of.streams[fold(stream)] = n
		n.open++
		return n, nil
	}
	dir, name, err := m.above(p)
	if err != nil {
		return nil, err
	}
	if dir.children[fold(name)] != nil {
		return nil, fs.ErrExist
	}
	n := m.node(name, dir, directory)
	dir.children[fold(name)] = n
	dir.touch()
	n.open++
	return n, nil
}

func (m *memory) List(p string, yield func(Attr) bool) error {
	m.mu.RLock()
	n, err := m.find(p)
	if err != nil {
		m.mu.RUnlock()
		return err
	}
	list := make([]Attr, 0, len(n.children))
	for _, c := range n.children {
		list = append(list, c.attr())
	}
	m.mu.RUnlock()
	slices.SortFunc(list, func(a, b Attr) int { return strings.Compare(fold(a.Name), fold(b.Name)) })
	for _, a := range list {
		if !yield(a) {
			break
		}
	}
	return nil
}

func (m *memory) Remove(p, stream string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.find(p)
	if err != nil {
		return err
	}
	if stream != "" {
		there := n.streams[fold(stream)]
		if there == nil {
			return fs.ErrNotExist
		}
		delete(n.streams, fold(stream))
		there.unlink()
		return nil
	}
	if n == m.root {
		return fs.ErrPermission
	}
	if len(n.children) > 0 {
		return errNotEmpty
	}
	dir, name, err := m.above(p)
	if err != nil {
		return err
	}
	delete(dir.children, fold(name))
	dir.touch()
	n.unlink()
	return nil
}

// unlink says that nothing leads to n any more. m.mu is held.
func (n *node) unlink() {
	n.links = 0
	n.m.nodes--
	for _, s := range n.streams {
		s.unlink()
	}
	n.free()
}

// free gives back what n holds once nobody can read it any more. m.mu is held.
func (n *node) free() {
	if n.links == 0 && n.open == 0 {
		for i := range n.blocks {
			n.drop(i)
		}
	}
}

func (m *memory) Rename(from, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.find(from)
	if err != nil {
		return err
	}
	old, oldName, err := m.above(from)
	if err != nil {
		return err
	}
	dir, name, err := m.above(to)
	if err != nil {
		return err
	}
	for d := dir; d != nil; d = d.parent {
		if d == n {
			return fs.ErrPermission // into itself
		}
	}
	if there := dir.children[fold(name)]; there != nil && there != n {
		if len(there.children) > 0 {
			return errNotEmpty
		}
		there.unlink()
	}
	delete(old.children, fold(oldName))
	n.name, n.parent = name, dir
	dir.children[fold(name)] = n
	old.touch()
	dir.touch()
	n.times.Change = dtyp.FileTimeOf(time.Now())
	return nil
}

// Link is not supported: a node has one name.
func (m *memory) Link(string, string) error { return errUnsupported }

func (m *memory) Space() (total, free uint64) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return uint64(m.most), uint64(max(m.most-m.used, 0))
}

func (m *memory) Features() fscc.FsAttributes {
	return commonFeatures | fscc.FsSupportsBlockRefcounting | fsNamedStreams
}

func (m *memory) Close() error { return nil }

// touch says that a directory changed. m.mu is held.
func (n *node) touch() {
	t := dtyp.FileTimeOf(time.Now())
	n.times.LastWrite, n.times.Change = t, t
}

// attr describes a node. m.mu is held.
func (n *node) attr() Attr {
	a := Attr{Name: n.name, ID: n.ID(), Directory: n.children != nil, Links: n.links, Size: n.size, Times: n.times, Attributes: n.attributes}
	a.Allocation = n.allocation()
	return a
}

// allocation is what the file takes: of a sparse one its blocks.
func (n *node) allocation() int64 {
	if n.attributes&fscc.AttributeSparse != 0 {
		return int64(len(n.blocks)) * blockSize
	}
	return (n.size + clusterSize - 1) &^ (clusterSize - 1)
}

func (n *node) ID() FileNumber { return FileNumber{Volume: 1, File: n.id, Stream: n.stream} }

func (n *node) Attr() (Attr, error) {
	n.m.mu.RLock()
	defer n.m.mu.RUnlock()
	return n.attr(), nil
}

func (n *node) SetAttr(a Attr) error {
	n.m.mu.Lock()
	defer n.m.mu.Unlock()
	setTimes(&n.times, &a.Times)
	if a.Attributes != 0 {
		n.attributes = a.Attributes
	}
	return nil
}

// setTimes sets those that are not zero.
func setTimes(t, by *fscc.Times) {
	for _, p := range []struct{ t, by *dtyp.FileTime }{
		{&t.Creation, &by.Creation}, {&t.LastAccess, &by.LastAccess}, {&t.LastWrite, &by.LastWrite}, {&t.Change, &by.Change},
	} {
		if *p.by != 0 {
			*p.t = *p.by
		}
	}
}

func (n *node) ReadAt(b []byte, off int64) (int, error) {
	n.m.mu.RLock()
	defer n.m.mu.RUnlock()
	if n.children != nil {
		return 0, errDirectory
	}
	if off >= n.size {
		return 0, io.EOF
	}
	done := 0
	for want := int(min(int64(len(b)), n.size-off)); done < want; {
		at := off + int64(done)
		from := int(at % blockSize)
		k := min(want-done, blockSize-from)
		if block := n.blocks[at/blockSize]; block != nil {
			copy(b[done:done+k], block[from:])
		} else {
			clear(b[done : done+k])
		}
		done += k
	}
	if done < len(b) {
		return done, io.EOF
	}
	return done, nil
}

func (n *node) WriteAt(b []byte, off int64) (int, error) {
	n.m.mu.Lock()
	defer n.m.mu.Unlock()
	if n.children != nil {
		return 0, errDirectory
	}
	if off < 0 || off > maxFileSize-int64(len(b)) {
		return 0, errFull
	}
	done := 0
	for done < len(b) {
		at := off + int64(done)
		from := int(at % blockSize)
		k := min(len(b)-done, blockSize-from)
		block := n.blocks[at/blockSize]
		if block == nil {
			if n.m.used+blockSize > n.m.most {
				return done, errFull
			}
			n.m.used += blockSize
			block = new([blockSize]byte)
			n.blocks[at/blockSize] = block
		}
		copy(block[from:], b[done:done+k])
		done += k
		n.size = max(n.size, at+int64(k))
	}
	n.touch()
	return done, nil
}

// drop frees a block. m.mu is held.
func (n *node) drop(i int64) {
	if n.blocks[i] != nil {
		delete(n.blocks, i)
		n.m.used -= blockSize
	}
}

func (n *node) Truncate(size int64) error {
	n.m.mu.Lock()
	defer n.m.mu.Unlock()
	if size < 0 || size > maxFileSize {
		return errFull
	}
	if size < n.size {
		n.cut(size, n.size)
	}
	n.size = size
	n.touch()
	return nil
}

// cut makes a hole of a range. m.mu is held.
func (n *node) cut(from, to int64) {
	for i := range n.blocks {
		start, end := i*blockSize, (i+1)*blockSize
		switch {
		case end <= from || start >= to:
		case start >= from && (end <= to || to >= n.size):
			n.drop(i)
		default:
			clear(n.blocks[i][max(from-start, 0):min(to-start, blockSize)])
		}
	}
}

func (n *node) Sync() error { return nil }

func (n *node) Allocated(off int64) (start, end int64, err error) {
	n.m.mu.RLock()
	defer n.m.mu.RUnlock()
	first := int64(-1)
	for i := range n.blocks {
		if (i+1)*blockSize > off && i*blockSize < n.size && (first < 0 || i < first) {
			first = i
		}
	}
	if off >= n.size || first < 0 {
		return n.size, n.size, nil
	}
	last := first
	for n.blocks[last+1] != nil {
		last++
	}
	return max(first*blockSize, off), min((last+1)*blockSize, n.size), nil
}

func (n *node) Zero(off, k int64) error {
	n.m.mu.Lock()
	defer n.m.mu.Unlock()
	n.cut(off, min(off+k, n.size))
	n.touch()
	return nil
}

// Clone copies, block by block: in memory nobody sees the difference, but holes stay.
func (n *node) Clone(src Object, srcOff, off, k int64) error {
	return copyRange(n, src, srcOff, off, k)
}

func (n *node) Streams() (list []StreamAttr) {
	n.m.mu.RLock()
	defer n.m.mu.RUnlock()
	for _, s := range n.streams {
		list = append(list, StreamAttr{Name: s.name, Size: s.size, Allocation: s.allocation()})
	}
	slices.SortFunc(list, func(a, b StreamAttr) int { return strings.Compare(a.Name, b.Name) })
	return list
}

func (n *node) Close() error {
	n.m.mu.Lock()
	defer n.m.mu.Unlock()
	n.open--
	n.free()
	return nil
}
