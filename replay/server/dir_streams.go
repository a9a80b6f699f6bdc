//go:build linux

package server

import (
	"io/fs"
	"slices"
	"strings"
	"sync"
)

// dirStreams are the named streams of the files of a directory. File systems have no place
// for them, so they are kept in memory until the server ends.
type dirStreams struct {
	mu   sync.Mutex
	of   map[FileNumber]map[string]*dirStream
	room memory
}

// maxStreamBytes is how much all streams hold.
const maxStreamBytes = 256 << 20

func (s *dirStreams) init() {
	s.of = map[FileNumber]map[string]*dirStream{}
	s.room.most = maxStreamBytes
}

// dirStream is a stream in memory of a file elsewhere.
type dirStream struct {
	*node
	file FileNumber
}

func (s *dirStream) ID() FileNumber {
	return FileNumber{Volume: s.file.Volume, File: s.file.File, Stream: s.node.id}
}

func (s *dirStream) Attr() (Attr, error) {
	a, err := s.node.Attr()
	a.ID = s.ID()
	return a, err
}

func (s *dirStream) use() *dirStream {
	s.node.m.mu.Lock()
	defer s.node.m.mu.Unlock()
	s.node.open++
	return s
}

func (s *dirStreams) open(file FileNumber, name string) (Object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if there := s.of[file][fold(name)]; there != nil {
		return there.use(), nil
	}
	return nil, fs.ErrNotExist
}

func (s *dirStreams) create(file FileNumber, name string) (Object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of[file][fold(name)] != nil {
		return nil, fs.ErrExist
	}
	s.room.mu.Lock()
	defer s.room.mu.Unlock()
	if s.room.nodes >= maxNodes {
		return nil, errFull
	}
	if s.of[file] == nil {
		s.of[file] = map[string]*dirStream{}
	}
	made := &dirStream{s.room.node(name, nil, false), file}
	made.node.open++
	s.of[file][fold(name)] = made
	return made, nil
}

func (s *dirStreams) remove(file FileNumber, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	there := s.of[file][fold(name)]
	if there == nil {
		return fs.ErrNotExist
	}
	if delete(s.of[file], fold(name)); len(s.of[file]) == 0 {
		delete(s.of, file)
	}
	s.unlink(there)
	return nil
}

// forget removes all streams of a file that is gone.
func (s *dirStreams) forget(file FileNumber) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.of[file] {
		s.unlink(one)
	}
	delete(s.of, file)
}

func (s *dirStreams) unlink(one *dirStream) {
	s.room.mu.Lock()
	defer s.room.mu.Unlock()
	one.node.unlink()
}

func (s *dirStreams) list(file FileNumber) (list []StreamAttr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.of[file] {
		if a, err := one.node.Attr(); err == nil {
			list = append(list, StreamAttr{Name: one.node.name, Size: a.Size, Allocation: a.Allocation})
		}
	}
	slices.SortFunc(list, func(a, b StreamAttr) int { return strings.Compare(a.Name, b.Name) })
	return list
}
