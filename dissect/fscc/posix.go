package fscc

import (
	"fmt"

	"github.com/odxray/odxray/dissect/dtyp"
	"github.com/odxray/odxray/dissect/wire"
)

// PosixInfo is FilePosixInformation of the SMB3 POSIX extensions. Wireshark 4.0 takes
// its two sizes for each other, and the device for a file id.
type PosixInfo struct {
	Times
	EndOfFile      uint64 // bytes
	AllocationSize uint64 // bytes
	Attributes     Attributes
	Inode          uint64
	Device         uint32
	Links          uint32
	Tag            ReparseTag // valid if AttributeReparsePoint is set
	Mode           uint32     // permissions
	Owner, Group   dtyp.SID
	Name           wire.UTF16 // not of a directory's entry, which has its own
}

var (
	posix       = fields.Section("POSIX-FSCC 2.1")
	fPosixInfo  = posix.Struct("", "SMB2_FILE_POSIX_INFO")
	fInode      = posix.Hex("smb2.inode", "Inode")
	fDeviceID   = posix.Hex("odx.info.posix.device", "Device")
	fPosixOwner = dtyp.SIDField("Owner SID")
	fPosixGroup = dtyp.SIDField("Group SID")
	fPerms      = posix.Uint("smb2.posix_perms", "POSIX perms").Formatted(func(v uint64) string { return fmt.Sprintf("%#o", v) })
)

func (m *PosixInfo) Decode(c *wire.Cursor) {
	defer c.Close(c.Open(fPosixInfo))
	m.Name = nil
	m.decode(c)
	if c.Len() > 0 { // older servers leave it out
		m.Name = c.UTF16(fNewName, int(c.U32(fFilenameLength)))
	}
}

func (m *PosixInfo) decode(c *wire.Cursor) {
	m.Times.decode(c)
	m.EndOfFile = c.U64(fEOF)
	m.AllocationSize = c.U64(fAllocationSize)
	m.Attributes = FileAttributes(c)
	m.Inode = c.U64(fInode)
	m.Device = c.U32(fDeviceID)
	c.Skip(fReserved, 4)
	m.Links = c.U32(fLinks)
	m.Tag = ReparseTag(c.U32(fTag))
	m.Mode = c.U32(fPerms)
	m.Owner.DecodeAs(c, fPosixOwner)
	m.Group.DecodeAs(c, fPosixGroup)
}
