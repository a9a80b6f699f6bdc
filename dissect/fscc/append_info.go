package fscc

import "github.com/odxray/odxray/dissect/wire"

// What a server tells of files. Append appends what Decode reads.

func (t *Times) append(b []byte) []byte {
	b = wire.AppendU64(b, uint64(t.Creation))
	b = wire.AppendU64(b, uint64(t.LastAccess))
	b = wire.AppendU64(b, uint64(t.LastWrite))
	return wire.AppendU64(b, uint64(t.Change))
}

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

// appendName appends a name behind its length in bytes.
func appendName(b []byte, name wire.UTF16) []byte {
	return append(wire.AppendU32(b, uint32(len(name))), name...)
}

func (m *BasicInfo) Append(b []byte) []byte {
	b = m.Times.append(b)
	return wire.AppendU32(wire.AppendU32(b, uint32(m.Attributes)), 0)
}

func (m *StandardInfo) Append(b []byte) []byte {
	b = wire.AppendU64(b, m.AllocationSize)
	b = wire.AppendU64(b, m.EndOfFile)
	b = wire.AppendU32(b, m.Links)
	b = appendBool(b, m.DeletePending)
	b = appendBool(b, m.Directory)
	return wire.AppendU16(b, 0)
}

func (m *NetworkOpenInfo) Append(b []byte) []byte {
	b = m.Times.append(b)
	b = wire.AppendU64(b, m.AllocationSize)
	b = wire.AppendU64(b, m.EndOfFile)
	return wire.AppendU32(wire.AppendU32(b, uint32(m.Attributes)), 0)
}

func (m *AllInfo) Append(b []byte) []byte {
	b = m.BasicInfo.Append(b)
	b = m.StandardInfo.Append(b)
	b = wire.AppendU64(b, m.FileID)
	b = wire.AppendU32(b, m.EASize)
	b = wire.AppendU32(b, uint32(m.Access))
	b = wire.AppendU64(b, m.Position)
	b = wire.AppendU32(b, m.Mode)
	b = wire.AppendU32(b, m.Alignment)
	return appendName(b, m.Name)
}

func (m *NameInfo) Append(b []byte) []byte     { return appendName(b, m.Name) }
func (m *InternalInfo) Append(b []byte) []byte { return wire.AppendU64(b, m.FileID) }
func (m *EAInfo) Append(b []byte) []byte       { return wire.AppendU32(b, m.Size) }
func (m *AccessInfo) Append(b []byte) []byte   { return wire.AppendU32(b, uint32(m.Access)) }
func (m *PositionInfo) Append(b []byte) []byte { return wire.AppendU64(b, m.Position) }
func (m *ModeInfo) Append(b []byte) []byte     { return wire.AppendU32(b, m.Mode) }

func (m *AlignmentInfo) Append(b []byte) []byte { return wire.AppendU32(b, m.Alignment) }

func (m *CompressionInfo) Append(b []byte) []byte {
	b = wire.AppendU64(b, m.Size)
	b = wire.AppendU16(b, m.Format)
	b = append(b, m.UnitShift, m.ChunkShift, m.ClusterShift)
	return wire.AppendZeros(b, 3)
}

func (m *AttributeTagInfo) Append(b []byte) []byte {
	return wire.AppendU32(wire.AppendU32(b, uint32(m.Attributes)), uint32(m.Tag))
}

func (m *FileIDInfo) Append(b []byte) []byte {
	return append(wire.AppendU64(b, m.Volume), m.FileID[:]...)
}

// AppendStreams appends a FileStreamInformation of streams.
func AppendStreams(b []byte, streams []Stream) []byte {
	start, last := len(b), -1
	for i := range streams {
		s := &streams[i]
		b, last = nextLink(b, start, last)
		b = wire.AppendU32(b, uint32(len(s.Name)))
		b = wire.AppendU64(b, s.Size)
		b = wire.AppendU64(b, s.AllocationSize)
		b = append(b, s.Name...)
	}
	return b
}

// nextLink begins an entry of a chain that began at start: it aligns b, tells the entry
// at last, unless that is negative, where this one is, and appends the offset to the
// next one, 0 for now.
func nextLink(b []byte, start, last int) (_ []byte, at int) {
	if last >= 0 {
		b = wire.Align(b, start, 8)
		wire.PutU32(b[last:], uint32(len(b)-last))
	}
	return wire.AppendU32(b, 0), len(b)
}

// A Listing collects the entries of a directory, or its changes.
type Listing struct {
	Raw  []byte // what was collected
	last int    // where its last entry is, plus one; 0 if there is none
}

// Add adds an entry of a class that Lists, FilePosix excepted, or returns false if the
// listing would then be longer than limit bytes. Entry's Name and ShortName say what it
// is called; Posix is not used.
func (l *Listing) Add(class FileClass, e *DirectoryEntry, limit int) bool {
	return l.add(limit, func(b []byte) []byte {
		if class == FileNames {
			return appendName(wire.AppendU32(b, e.Index), e.Name)
		}
		return e.append(b, layoutOf(class).parts)
	})
}

// AddChange adds a FILE_NOTIFY_INFORMATION as Add does an entry. [MS-FSCC] 2.7.1
func (l *Listing) AddChange(c *Change, limit int) bool {
	return l.add(limit, func(b []byte) []byte { return appendName(wire.AppendU32(b, uint32(c.Action)), c.Name) })
}

func (l *Listing) add(limit int, entry func([]byte) []byte) bool {
	before := len(l.Raw)
	b, at := nextLink(l.Raw, 0, l.last-1)
	if b = entry(b); len(b) > limit {
		if l.last > 0 {
			wire.PutU32(b[l.last-1:], 0)
		}
		l.Raw = b[:before]
		return false
	}
	l.Raw, l.last = b, at+1
	return true
}

func (e *DirectoryEntry) append(b []byte, parts uint16) []byte {
	has := func(part uint16) bool { return parts&part != 0 }
	b = wire.AppendU32(b, e.Index)
	b = e.Times.append(b)
	b = wire.AppendU64(b, e.EndOfFile)
	b = wire.AppendU64(b, e.AllocationSize)
	b = wire.AppendU32(b, uint32(e.Attributes))
	b = wire.AppendU32(b, uint32(len(e.Name)))
	if has(hasEASize) {
		b = wire.AppendU32(b, e.EASize)
	}
	if has(hasTag) {
		b = wire.AppendU32(b, uint32(e.Tag))
	}
	if has(hasReserved) {
		b = wire.AppendU32(b, 0)
	}
	if has(hasID) {
		b = wire.AppendU64(b, e.FileID)
	}
	if has(hasID128) {
		b = append(b, e.FileID128[:]...)
	}
	if has(hasShortName) {
		const room = 24
		name := e.ShortName[:min(len(e.ShortName), room)]
		b = append(b, byte(len(name)), 0)
		b = wire.AppendZeros(append(b, name...), room-len(name))
	}
	if has(hasLateID) {
		b = wire.AppendU64(wire.AppendU16(b, 0), e.FileID)
	}
	if has(hasTransaction) {
		b = wire.AppendU32(append(b, e.Transaction[:]...), e.TxFlags)
	}
	return append(b, e.Name...)
}

func (m *FsVolumeInfo) Append(b []byte) []byte {
	b = wire.AppendU64(b, uint64(m.Creation))
	b = wire.AppendU32(b, m.Serial)
	b = wire.AppendU32(b, uint32(len(m.Label)))
	b = append(appendBool(b, m.SupportsObjects), 0)
	return append(b, m.Label...)
}

func (m *FsSizeInfo) Append(b []byte) []byte {
	b = wire.AppendU64(b, m.Total)
	b = wire.AppendU64(b, m.Available)
	b = wire.AppendU32(b, m.SectorsPerUnit)
	return wire.AppendU32(b, m.BytesPerSector)
}

func (m *FsFullSizeInfo) Append(b []byte) []byte {
	b = wire.AppendU64(b, m.Total)
	b = wire.AppendU64(b, m.CallerAvailable)
	b = wire.AppendU64(b, m.ActualAvailable)
	b = wire.AppendU32(b, m.SectorsPerUnit)
	return wire.AppendU32(b, m.BytesPerSector)
}

func (m *FsDeviceInfo) Append(b []byte) []byte {
	return wire.AppendU32(wire.AppendU32(b, m.Type), m.Characteristics)
}

func (m *FsAttributeInfo) Append(b []byte) []byte {
	b = wire.AppendU32(b, uint32(m.Attributes))
	b = wire.AppendU32(b, m.MaxNameLength)
	return appendName(b, m.Name)
}

func (m *FsControlInfo) Append(b []byte) []byte {
	b = wire.AppendZeros(b, 24)
	b = wire.AppendU64(b, m.DefaultThreshold)
	b = wire.AppendU64(b, m.DefaultLimit)
	return wire.AppendU32(wire.AppendU32(b, m.Flags), 0)
}

func (m *FsSectorSizeInfo) Append(b []byte) []byte {
	for _, v := range []uint32{m.Logical, m.PhysicalAtomicity, m.PhysicalPerformance, m.EffectiveAtomicity, m.Flags, m.SectorAlignment, m.PartitionAlignment} {
		b = wire.AppendU32(b, v)
	}
	return b
}
