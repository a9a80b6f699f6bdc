package fscc

import "github.com/odxray/odxray/dissect/wire"

// Info is what a class of information holds: *BasicInfo for FileBasic, *FsSizeInfo
// for FsSize.
type Info interface{ Decode(*wire.Cursor) }

// Infos owns one value for each class, so that decoding allocates nothing: what its
// methods return is valid until the next call, and as long as the message.
//
// They name concrete types, because a call through Info would move the cursor to
// the heap.
type Infos struct {
	file file
	fs   fs
}

// File decodes a class of information about a file. It returns nil, and reads
// nothing, if it does not know the class.
func (m *Infos) File(c *wire.Cursor, class FileClass) Info { return m.file.decode(c, class) }

// FileSystem does so for a file system.
func (m *Infos) FileSystem(c *wire.Cursor, class FsClass) Info { return m.fs.decode(c, class) }

// Quota decodes what TypeQuota has instead of classes.
func (m *Infos) Quota(c *wire.Cursor) *QuotaInfo {
	m.file.quota.Decode(c)
	return &m.file.quota
}
