package fscc

import "github.com/odxray/odxray/dissect/wire"

// file owns a value for each class of a file that has a fixed form.
type file struct {
	basic           BasicInfo
	standard        StandardInfo
	internal        InternalInfo
	ea              EAInfo
	access          AccessInfo
	name            NameInfo
	rename          RenameInfo
	disposition     DispositionInfo
	position        PositionInfo
	mode            ModeInfo
	alignment       AlignmentInfo
	all             AllInfo
	allocation      AllocationInfo
	endOfFile       EndOfFileInfo
	pipe            PipeInfo
	pipeLocal       PipeLocalInfo
	pipeRemote      PipeRemoteInfo
	mailslot        MailslotInfo
	compression     CompressionInfo
	objectID        ObjectIDInfo
	reparsePoint    ReparsePointInfo
	networkOpen     NetworkOpenInfo
	attributeTag    AttributeTagInfo
	validDataLength ValidDataLengthInfo
	standardLink    StandardLinkInfo
	remoteProtocol  RemoteProtocolInfo
	id              FileIDInfo
	stat            StatInfo
	caseSensitive   CaseSensitiveInfo
	sfioReserve     SfioReserveInfo
	sfioVolume      SfioVolumeInfo
	posix           PosixInfo

	// The classes that are lists.
	stream   StreamInfo
	fullEA   FullEAInfo
	hardLink HardLinkInfo
	quota    QuotaInfo
}

func (m *file) decode(c *wire.Cursor, class FileClass) Info {
	switch class {
	case FileBasic:
		m.basic.Decode(c)
		return &m.basic
	case FileStandard:
		m.standard.Decode(c)
		return &m.standard
	case FileInternal:
		m.internal.Decode(c)
		return &m.internal
	case FileEA:
		m.ea.Decode(c)
		return &m.ea
	case FileAccess:
		m.access.Decode(c)
		return &m.access
	case FileName:
		m.name.Decode(c)
		return &m.name
	case FileRename:
		m.rename.Decode(c)
		return &m.rename
	case FileLink:
		m.rename.decode(c, fLinkInfo, false)
		return &m.rename
	case FileDisposition:
		m.disposition.Decode(c)
		return &m.disposition
	case FilePosition:
		m.position.Decode(c)
		return &m.position
	case FileFullEA:
		m.fullEA.Decode(c)
		return &m.fullEA
	case FileMode:
		m.mode.Decode(c)
		return &m.mode
	case FileAlignment:
		m.alignment.Decode(c)
		return &m.alignment
	case FileAll:
		m.all.Decode(c)
		return &m.all
	case FileAllocation:
		m.allocation.Decode(c)
		return &m.allocation
	case FileEndOfFile:
		m.endOfFile.Decode(c)
		return &m.endOfFile
	case FileAlternateName:
		m.name.decode(c, fAlternateNameInfo)
		return &m.name
	case FileStream:
		m.stream.Decode(c)
		return &m.stream
	case FilePipe:
		m.pipe.Decode(c)
		return &m.pipe
	case FilePipeLocal:
		m.pipeLocal.Decode(c)
		return &m.pipeLocal
	case FilePipeRemote:
		m.pipeRemote.Decode(c)
		return &m.pipeRemote
	case FileMailslotQuery:
		m.mailslot.Decode(c)
		return &m.mailslot
	case FileMailslotSet:
		m.mailslot.decodeSet(c)
		return &m.mailslot
	case FileCompression:
		m.compression.Decode(c)
		return &m.compression
	case FileObjectID:
		m.objectID.Decode(c)
		return &m.objectID
	case FileQuota:
		m.quota.Decode(c)
		return &m.quota
	case FileReparsePoint:
		m.reparsePoint.Decode(c)
		return &m.reparsePoint
	case FileNetworkOpen:
		m.networkOpen.Decode(c)
		return &m.networkOpen
	case FileAttributeTag:
		m.attributeTag.Decode(c)
		return &m.attributeTag
	case FileValidDataLength:
		m.validDataLength.Decode(c)
		return &m.validDataLength
	case FileShortName:
		m.name.decode(c, fShortNameInfo)
		return &m.name
	case FileHardLink:
		m.hardLink.Decode(c)
		return &m.hardLink
	case FileNormalizedName:
		m.name.decode(c, fNormalizedNameInfo)
		return &m.name
	case FileNetworkPhysicalName:
		m.name.decode(c, fPhysicalNameInfo)
		return &m.name
	case FileVolumeName:
		m.name.decode(c, fVolumeNameInfo)
		return &m.name
	case FileSfioReserve:
		m.sfioReserve.Decode(c)
		return &m.sfioReserve
	case FileSfioVolume:
		m.sfioVolume.Decode(c)
		return &m.sfioVolume
	}
	return m.later(c, class)
}

// later decodes the classes that came with Windows 8 and after.
func (m *file) later(c *wire.Cursor, class FileClass) Info {
	switch class {
	case FileStandardLink:
		m.standardLink.Decode(c)
		return &m.standardLink
	case FileRemoteProtocol:
		m.remoteProtocol.Decode(c)
		return &m.remoteProtocol
	case FileID:
		m.id.Decode(c)
		return &m.id
	case FileDispositionEx:
		m.disposition.decodeEx(c)
		return &m.disposition
	case FileRenameEx:
		m.rename.decode(c, fRenameInfoEx, true)
		return &m.rename
	case FileStat:
		m.stat.Decode(c)
		return &m.stat
	case FileStatLx:
		m.stat.decodeLx(c)
		return &m.stat
	case FileCaseSensitive:
		m.caseSensitive.Decode(c)
		return &m.caseSensitive
	case FileLinkEx:
		m.rename.decode(c, fLinkInfoEx, true)
		return &m.rename
	case FileStatBasic:
		m.stat.decodeBasic(c)
		return &m.stat
	case FilePosix:
		m.posix.Decode(c)
		return &m.posix
	}
	return nil
}
