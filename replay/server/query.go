package server

import (
	"encoding/binary"

	"github.com/odxray/odxray/dissect/dtyp"
	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
)

func text(s string) wire.UTF16 { return wire.AppendUTF16(nil, s) }

// queryInfo serves QUERY_INFO. [MS-SMB2] 3.3.5.20
func (r *request) queryInfo(m *smb2.QueryInfoRequest) status {
	o, st := r.find(m.File)
	if st != ntstatus.Success {
		return st
	}
	if !r.charged(max(m.OutputLength, uint32(len(m.InputData)))) {
		return ntstatus.InvalidParameter
	}
	var out []byte
	fixed := 0 // bytes that have to fit; the rest may be cut
	switch m.Type {
	case fscc.TypeFile:
		if o.file == nil {
			return r.queryPipe(o, fscc.FileClass(m.Class), m.OutputLength)
		}
		if fscc.FileClass(m.Class) == fscc.FileFullEA {
			return r.queryEAs(o, m)
		}
		out, fixed, st = o.fileInfo(fscc.FileClass(m.Class), r.c.dialect)
	case fscc.TypeFileSystem:
		if o.file == nil {
			return ntstatus.NotSupported
		}
		out, fixed, st = r.c.s.volumeInfo(fscc.FsClass(m.Class))
	case fscc.TypeSecurity:
		if o.file == nil {
			return ntstatus.NotSupported
		}
		return r.querySecurity(o, m)
	case fscc.TypeQuota:
		return ntstatus.NotSupported
	default:
		return ntstatus.InvalidParameter
	}
	if st != ntstatus.Success {
		return st
	}
	if int(m.OutputLength) < fixed {
		return ntstatus.InfoLengthMismatch
	}
	if len(out) > int(m.OutputLength) {
		out, st = out[:m.OutputLength], ntstatus.BufferOverflow
	}
	r.body = smb2.AppendOutput(nil, out)
	return st
}

// fileInfo makes a class of information about a file, of which the first fixed bytes
// have to fit into the client's buffer.
func (o *open) fileInfo(class fscc.FileClass, dialect smb2.Dialect) (out []byte, fixed int, st status) {
	a, err := o.file.attr()
	if err != nil {
		return nil, 0, statusOf(err)
	}
	f := o.file
	f.s.mu.Lock()
	path, pending := f.path, f.deletePending
	f.s.mu.Unlock()
	basic := fscc.BasicInfo{Times: a.Times, Attributes: attributes(&a)}
	standard := fscc.StandardInfo{
		AllocationSize: uint64(a.Allocation), EndOfFile: uint64(a.Size), Links: a.Links, DeletePending: pending, Directory: f.directory,
	}
	if pending && standard.Links > 0 {
		standard.Links--
	}
	attr := o.needs(dtyp.ReadAttributes)
	switch class {
	case fscc.FileBasic:
		return basic.Append(nil), 40, attr
	case fscc.FileStandard:
		return standard.Append(nil), 24, ntstatus.Success
	case fscc.FileInternal:
		return (&fscc.InternalInfo{FileID: a.ID.File}).Append(nil), 8, ntstatus.Success
	case fscc.FileEA:
		return (&fscc.EAInfo{Size: f.s.eaSize(f.key)}).Append(nil), 4, ntstatus.Success
	case fscc.FileAccess:
		return (&fscc.AccessInfo{Access: o.access}).Append(nil), 4, ntstatus.Success
	case fscc.FilePosition:
		return (&fscc.PositionInfo{Position: o.position}).Append(nil), 8, ntstatus.Success
	case fscc.FileMode:
		return (&fscc.ModeInfo{Mode: o.mode()}).Append(nil), 4, ntstatus.Success
	case fscc.FileAlignment:
		return new(fscc.AlignmentInfo).Append(nil), 4, ntstatus.Success
	case fscc.FileAll:
		all := fscc.AllInfo{
			BasicInfo: basic, StandardInfo: standard, FileID: a.ID.File, EASize: f.s.eaSize(f.key), Access: o.access, Position: o.position, Mode: o.mode(),
			Name: text(windowsPath(path, f.stream)),
		}
		return all.Append(nil), 104, attr
	case fscc.FileNormalizedName:
		if dialect < smb2.Dialect311 {
			return nil, 0, ntstatus.NotSupported
		}
		return (&fscc.NameInfo{Name: text(windowsPath(path, f.stream)[1:])}).Append(nil), 8, ntstatus.Success
	case fscc.FileAlternateName:
		return (&fscc.NameInfo{Name: text(shortName(path, a.ID.File))}).Append(nil), 8, ntstatus.Success
	case fscc.FileNetworkOpen:
		info := fscc.NetworkOpenInfo{Times: a.Times, AllocationSize: uint64(a.Allocation), EndOfFile: uint64(a.Size), Attributes: attributes(&a)}
		return info.Append(nil), 56, attr
	case fscc.FileAttributeTag:
		return (&fscc.AttributeTagInfo{Attributes: attributes(&a)}).Append(nil), 8, attr
	case fscc.FileCompression:
		return (&fscc.CompressionInfo{Size: uint64(a.Size)}).Append(nil), 16, ntstatus.Success
	case fscc.FileStream:
		out := o.streams(&a)
		return out, min(32, len(out)), ntstatus.Success
	case fscc.FileID:
		info := fscc.FileIDInfo{Volume: a.ID.Volume}
		binary.LittleEndian.PutUint64(info.FileID[:], a.ID.File)
		return info.Append(nil), 24, ntstatus.Success
	case fscc.FileName, fscc.FileHardLink, fscc.FileReparsePoint, fscc.FileObjectID, fscc.FileQuota:
		return nil, 0, ntstatus.NotSupported
	}
	return nil, 0, ntstatus.InvalidInfoClass
}

// mode is what of the CreateOptions lasts.
func (o *open) mode() uint32 { return uint32(o.options) & 0x103e }

func (o *open) streams(a *Attr) []byte {
	var list []fscc.Stream
	if !o.file.directory && o.file.stream == "" {
		list = append(list, fscc.Stream{Size: uint64(a.Size), AllocationSize: uint64(a.Allocation), Name: text("::$DATA")})
	}
	for _, s := range o.file.obj.Streams() {
		list = append(list, fscc.Stream{Size: uint64(s.Size), AllocationSize: uint64(s.Allocation), Name: text(":" + s.Name + ":$DATA")})
	}
	return fscc.AppendStreams(nil, list)
}

// volumeInfo makes a class of information about the share.
func (s *Server) volumeInfo(class fscc.FsClass) (out []byte, fixed int, st status) {
	total, free := s.cfg.Store.Space()
	const perCluster = clusterSize / sectorSize
	switch class {
	case fscc.FsVolume:
		info := fscc.FsVolumeInfo{
			Creation: dtyp.FileTimeOf(s.started), Serial: binary.LittleEndian.Uint32(s.guid[:]), Label: text(s.cfg.Share),
		}
		return info.Append(nil), 24, ntstatus.Success
	case fscc.FsSize:
		info := fscc.FsSizeInfo{Total: total / clusterSize, Available: free / clusterSize, SectorsPerUnit: perCluster, BytesPerSector: sectorSize}
		return info.Append(nil), 24, ntstatus.Success
	case fscc.FsFullSize:
		info := fscc.FsFullSizeInfo{
			Total: total / clusterSize, CallerAvailable: free / clusterSize, ActualAvailable: free / clusterSize,
			SectorsPerUnit: perCluster, BytesPerSector: sectorSize,
		}
		return info.Append(nil), 32, ntstatus.Success
	case fscc.FsDevice:
		return (&fscc.FsDeviceInfo{Type: 7, Characteristics: 0x20}).Append(nil), 8, ntstatus.Success // disk, mounted
	case fscc.FsAttribute:
		return (&fscc.FsAttributeInfo{Attributes: s.cfg.Store.Features(), MaxNameLength: 255, Name: text("NTFS")}).Append(nil), 16, ntstatus.Success
	case fscc.FsControl:
		return (&fscc.FsControlInfo{DefaultThreshold: ^uint64(0), DefaultLimit: ^uint64(0)}).Append(nil), 48, ntstatus.Success
	case fscc.FsObjectID:
		return append(s.guid[:], make([]byte, 48)...), 64, ntstatus.Success
	case fscc.FsSectorSize:
		info := fscc.FsSectorSizeInfo{
			Logical: sectorSize, PhysicalAtomicity: clusterSize, PhysicalPerformance: clusterSize, EffectiveAtomicity: clusterSize,
			Flags: 3, // aligned
		}
		return info.Append(nil), 28, ntstatus.Success
	}
	return nil, 0, ntstatus.InvalidInfoClass
}
