//go:build linux

package server

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/odxray/odxray/dissect/dtyp"
	"github.com/odxray/odxray/dissect/fscc"
)

// dir is a Store in a directory. os.Root keeps it inside: no name and no symbolic link
// leads out. What the file system has no place for, such as DOS attributes, is
// remembered until the server ends.
type dir struct {
	root *os.Root

	mu      sync.Mutex
	extra   map[FileNumber]extra
	streams dirStreams
}

// extra is what a file system does not keep of a file.
type extra struct {
	creation   dtyp.FileTime
	attributes fscc.Attributes

	// A change time that a client set holds until the file system has another.
	change, instead dtyp.FileTime
}

// maxExtra bounds the files of which that is remembered.
const maxExtra = 1 << 18

// OpenDir makes a Store of what is in a directory.
func OpenDir(name string) (Store, error) {
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	d := &dir{root: root, extra: map[FileNumber]extra{}}
	d.streams.init()
	return d, nil
}

// real returns a path as the file system has it: names whose case is another are looked
// for. For one that is not there it returns the name asked for.
func (d *dir) real(p string) (string, error) {
	if p == "" {
		return ".", nil
	}
	if _, err := d.root.Lstat(p); err == nil {
		return p, nil
	}
	above, name := path.Split(p)
	above, err := d.real(strings.TrimSuffix(above, "/"))
	if err != nil {
		return "", err
	}
	if info, err := d.root.Stat(above); err != nil || !info.IsDir() {
		return "", errPath
	}
	whole := path.Join(above, name)
	if _, err := d.root.Lstat(whole); err == nil {
		return whole, nil
	}
	found := whole
	err = d.names(above, func(have string) bool {
		if strings.EqualFold(have, name) {
			found = path.Join(above, have)
			return false
		}
		return true
	})
	return found, err
}

// names calls yield with the names in a directory, in no order.
func (d *dir) names(p string, yield func(string) bool) error {
	f, err := d.root.Open(p)
	if err != nil {
		return err
	}
	defer f.Close()
	for {
		list, err := f.Readdirnames(256)
		for _, name := range list {
			if !yield(name) {
				return nil
			}
		}
		if err != nil || len(list) == 0 {
			return nil
		}
	}
}

// stat describes what a real path leads to; symbolic links that lead out lead nowhere.
func (d *dir) stat(p string) (Attr, error) {
	info, err := d.root.Stat(p)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return Attr{}, fs.ErrNotExist
		}
		return Attr{}, fs.ErrPermission
	}
	return d.attr(info)
}

// attr describes a file. Devices, sockets and pipes are no files.
func (d *dir) attr(info os.FileInfo) (Attr, error) {
	if !info.IsDir() && !info.Mode().IsRegular() {
		return Attr{}, fs.ErrPermission
	}
	a := Attr{Name: info.Name(), Directory: info.IsDir(), Links: 1, Size: info.Size()}
	t := dtyp.FileTimeOf(info.ModTime())
	a.Times = fscc.Times{Creation: t, LastAccess: t, LastWrite: t, Change: t}
	a.Allocation = (a.Size + clusterSize - 1) &^ (clusterSize - 1)
	systemAttr(&a, info)
	if a.Directory {
		a.Size, a.Allocation = 0, 0
		a.Attributes = fscc.AttributeDirectory
	} else {
		a.Attributes = fscc.AttributeArchive
	}
	if info.Mode().Perm()&0o222 == 0 {
		a.Attributes |= fscc.AttributeReadOnly
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if x, ok := d.extra[a.ID]; ok {
		if x.creation != 0 {
			a.Creation = x.creation
		}
		if x.attributes != 0 {
			a.Attributes = x.attributes
		}
		if x.change != 0 && x.instead == a.Change {
			a.Change = x.change
		}
	}
	return a, nil
}

func (d *dir) Stat(p string) (Attr, error) {
	p, err := d.real(p)
	if err != nil {
		return Attr{}, err
	}
	return d.stat(p)
}

func (d *dir) Open(p, stream string) (Object, error) {
	p, err := d.real(p)
	if err != nil {
		return nil, err
	}
	a, err := d.stat(p)
	if err != nil {
		return nil, err
	}
	if stream != "" {
		return d.streams.open(a.ID, stream)
	}
	if a.Directory {
		f, err := d.root.Open(p)
		if err != nil {
			return nil, err
		}
		return &dirObject{d: d, f: f, id: a.ID}, nil
	}
	f, err := d.root.OpenFile(p, os.O_RDWR|nonBlocking, 0)
	readOnly := false
	if err != nil {
		readOnly = true
		f, err = d.root.OpenFile(p, os.O_RDONLY|nonBlocking, 0)
	}
	if err != nil {
		return nil, err
	}
	return d.object(f, readOnly)
}

// object takes an open file for its own.
func (d *dir) object(f *os.File, readOnly bool) (Object, error) {
	info, err := f.Stat()
	if err == nil {
		var a Attr
		if a, err = d.attr(info); err == nil {
			return &dirObject{d: d, f: f, id: a.ID, readOnly: readOnly}, nil
		}
	}
	f.Close()
	return nil, err
}

func (d *dir) Create(p, stream string, directory bool) (Object, error) {
	p, err := d.real(p)
	if err != nil {
		return nil, err
	}
	if stream != "" {
		a, err := d.stat(p)
		if err != nil {
			return nil, err
		}
		return d.streams.create(a.ID, stream)
	}
	if directory {
		if err := d.root.Mkdir(p, 0o777); err != nil {
			return nil, err
		}
		f, err := d.root.Open(p)
		if err != nil {
			return nil, err
		}
		return d.fresh(f)
	}
	f, err := d.root.OpenFile(p, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return nil, err
	}
	return d.fresh(f)
}

// fresh is object for a file that is new: another one may have had its number.
func (d *dir) fresh(f *os.File) (Object, error) {
	o, err := d.object(f, false)
	if err == nil {
		d.forget(o.ID())
	}
	return o, err
}

func (d *dir) List(p string, yield func(Attr) bool) error {
	p, err := d.real(p)
	if err != nil {
		return err
	}
	var names []string
	if err := d.names(p, func(name string) bool { names = append(names, name); return true }); err != nil {
		return err
	}
	slices.Sort(names)
	for _, name := range names {
		a, err := d.stat(path.Join(p, name))
		if err != nil {
			continue // it is gone, or leads out
		}
		a.Name = name
		if !yield(a) {
			break
		}
	}
	return nil
}

func (d *dir) Remove(p, stream string) error {
	p, err := d.real(p)
	if err != nil {
		return err
	}
	if stream != "" {
		a, err := d.stat(p)
		if err != nil {
			return err
		}
		return d.streams.remove(a.ID, stream)
	}
	if p == "." {
		return fs.ErrPermission
	}
	if a, err := d.stat(p); err == nil && a.Links <= 1 {
		d.forget(a.ID)
	}
	return systemError(d.root.Remove(p))
}

func (d *dir) forget(id FileNumber) {
	d.streams.forget(id)
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.extra, id)
}

func (d *dir) Rename(from, to string) error {
	from, err := d.real(from)
	if err != nil {
		return err
	}
	name := path.Base(to)
	above, err := d.real(strings.TrimSuffix(to[:len(to)-len(name)], "/"))
	if err != nil {
		return err
	}
	return systemError(d.root.Rename(from, path.Join(above, name)))
}

func (d *dir) Link(from, to string) error {
	from, err := d.real(from)
	if err != nil {
		return err
	}
	to, err = d.real(to)
	if err != nil {
		return err
	}
	return systemError(d.root.Link(from, to))
}

func (d *dir) Space() (total, free uint64) { return systemSpace(d.root) }

func (d *dir) Features() fscc.FsAttributes {
	return commonFeatures | fscc.FsSupportsBlockRefcounting | fsNamedStreams
}

func (d *dir) Close() error { return d.root.Close() }

// dirObject is an open file or directory of a dir.
type dirObject struct {
	d        *dir
	f        *os.File
	id       FileNumber
	readOnly bool
}

func (o *dirObject) ID() FileNumber { return o.id }

func (o *dirObject) Attr() (Attr, error) {
	info, err := o.f.Stat()
	if err != nil {
		return Attr{}, err
	}
	return o.d.attr(info)
}

func (o *dirObject) SetAttr(a Attr) error {
	if a.LastWrite != 0 || a.LastAccess != 0 {
		now, err := o.Attr()
		if err != nil {
			return err
		}
		setTimes(&now.Times, &a.Times)
		if err := systemTimes(o.f, now.LastAccess.Time(), now.LastWrite.Time()); err != nil {
			return err
		}
	}
	if a.Creation == 0 && a.Attributes == 0 && a.Change == 0 {
		return nil
	}
	var now Attr
	info, err := o.f.Stat()
	if err != nil {
		return err
	}
	systemAttr(&now, info)
	o.d.mu.Lock()
	defer o.d.mu.Unlock()
	x, known := o.d.extra[o.id]
	if !known && len(o.d.extra) >= maxExtra {
		return nil
	}
	if a.Creation != 0 {
		x.creation = a.Creation
	}
	if a.Attributes != 0 {
		x.attributes = a.Attributes
	}
	if a.Change != 0 {
		x.change, x.instead = a.Change, now.Change
	}
	o.d.extra[o.id] = x
	return nil
}

func (o *dirObject) ReadAt(b []byte, off int64) (int, error) { return o.f.ReadAt(b, off) }

func (o *dirObject) WriteAt(b []byte, off int64) (int, error) {
	if o.readOnly {
		return 0, errReadOnly
	}
	n, err := o.f.WriteAt(b, off)
	return n, systemError(err)
}

func (o *dirObject) Truncate(size int64) error {
	if o.readOnly {
		return errReadOnly
	}
	return systemError(o.f.Truncate(size))
}

func (o *dirObject) Sync() error           { return o.f.Sync() }
func (o *dirObject) Streams() []StreamAttr { return o.d.streams.list(o.id) }
func (o *dirObject) Close() error          { return o.f.Close() }

func (o *dirObject) Allocated(off int64) (start, end int64, err error) {
	info, err := o.f.Stat()
	if err != nil {
		return 0, 0, err
	}
	if off >= info.Size() {
		return info.Size(), info.Size(), nil
	}
	return systemAllocated(o.f, off, info.Size())
}

func (o *dirObject) Zero(off, n int64) error {
	if o.readOnly {
		return errReadOnly
	}
	if err := systemHole(o.f, off, n); err == nil {
		return nil
	}
	return writeZeros(o, off, n)
}

func (o *dirObject) Clone(src Object, srcOff, off, n int64) error {
	from, ok := src.(*dirObject)
	if !ok || o.readOnly {
		return errUnsupported
	}
	return systemClone(o.f, from.f, srcOff, off, n)
}
