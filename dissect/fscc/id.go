package fscc

import "github.com/odxray/odxray/dissect/wire"

// FileIDInfo is FileIdInformation. [MS-FSCC] 2.4.23
type FileIDInfo struct {
	Volume uint64 // serial number
	FileID [16]byte
}

// ObjectIDInfo is FileObjectIdInformation. [MS-FSCC] 2.4.35
type ObjectIDInfo struct {
	FileID uint64
	ObjectIDBuffer
}

// ReparsePointInfo is FileReparsePointInformation. [MS-FSCC] 2.4.43
type ReparsePointInfo struct {
	FileID uint64
	Tag    ReparseTag
}

var (
	fileID        = fields.Section("[MS-FSCC] 2.4.23")
	fFileIDInfo   = fileID.Struct("", "SMB2_FILE_ID_INFO")
	fVolumeSerial = fileID.Hex("odx.info.volume_serial", "Volume Serial Number")
	fFileID128    = fileID.Bytes("odx.info.file_id_128", "File Id")
	fileObjectID  = fields.Section("[MS-FSCC] 2.4.35")
	fObjectIDInfo = fileObjectID.Struct("", "SMB2_FILE_OBJECT_ID_INFO")
	reparsePoint  = fields.Section("[MS-FSCC] 2.4.43")
	fReparseInfo  = reparsePoint.Struct("", "SMB2_FILE_REPARSE_POINT_INFO")
)

func (m *FileIDInfo) Decode(c *wire.Cursor) {
	*m = FileIDInfo{}
	defer c.Close(c.Open(fFileIDInfo))
	m.Volume = c.U64(fVolumeSerial)
	copy(m.FileID[:], c.Bytes(fFileID128, 16))
}

func (m *ObjectIDInfo) Decode(c *wire.Cursor) {
	defer c.Close(c.Open(fObjectIDInfo))
	m.FileID = c.U64(fFileID)
	m.ObjectIDBuffer.Decode(c)
}

func (m *ReparsePointInfo) Decode(c *wire.Cursor) {
	defer c.Close(c.Open(fReparseInfo))
	m.FileID = c.U64(fFileID)
	m.Tag = ReparseTag(c.U32(fTag))
}
