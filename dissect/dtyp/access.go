package dtyp

import "github.com/odxray/odxray/dissect/wire"

// AccessMask is a set of rights. What the low 16 bits mean depends on the kind of
// object; the constants say what they mean for a file.
// [MS-DTYP] 2.4.3, [MS-SMB2] 2.2.13.1
type AccessMask uint32

const (
	ReadData        AccessMask = 1 << 0 // of a directory: list it
	WriteData       AccessMask = 1 << 1 // of a directory: add a file
	AppendData      AccessMask = 1 << 2 // of a directory: add a directory
	ReadEA          AccessMask = 1 << 3
	WriteEA         AccessMask = 1 << 4
	Execute         AccessMask = 1 << 5 // of a directory: traverse it
	DeleteChild     AccessMask = 1 << 6
	ReadAttributes  AccessMask = 1 << 7
	WriteAttributes AccessMask = 1 << 8
	Delete          AccessMask = 1 << 16
	ReadControl     AccessMask = 1 << 17
	WriteDAC        AccessMask = 1 << 18
	WriteOwner      AccessMask = 1 << 19
	Synchronize     AccessMask = 1 << 20
	SystemSecurity  AccessMask = 1 << 24
	MaximumAllowed  AccessMask = 1 << 25
	GenericAll      AccessMask = 1 << 28
	GenericExecute  AccessMask = 1 << 29
	GenericWrite    AccessMask = 1 << 30
	GenericRead     AccessMask = 1 << 31
)

var (
	access      = fields.Section("[MS-SMB2] 2.2.13.1")
	fFileAccess = access.Hex("smb.access_mask", "Access Mask").Split(
		access.Flag(0x00000001, "smb.access.read", "Read", "NO read access", "READ access"),
		access.Flag(0x00000002, "smb.access.write", "Write", "NO write access", "WRITE access"),
		access.Flag(0x00000004, "smb.access.append", "Append", "NO append access", "APPEND access"),
		access.Flag(0x00000008, "smb.access.read_ea", "Read EA", "NO read extended attributes access", "READ EXTENDED ATTRIBUTES access"),
		access.Flag(0x00000010, "smb.access.write_ea", "Write EA", "NO write extended attributes access", "WRITE EXTENDED ATTRIBUTES access"),
		access.Flag(0x00000020, "smb.access.execute", "Execute", "NO execute access", "EXECUTE access"),
		access.Flag(0x00000040, "smb.access.delete_child", "Delete Child", "NO delete child access", "DELETE CHILD access"),
		access.Flag(0x00000080, "smb.access.read_attributes", "Read Attributes", "NO read attributes access", "READ ATTRIBUTES access"),
		access.Flag(0x00000100, "smb.access.write_attributes", "Write Attributes", "NO write attributes access", "WRITE ATTRIBUTES access"),
		access.Flag(0x00010000, "smb.access.delete", "Delete", "NO delete access", "DELETE access"),
		access.Flag(0x00020000, "smb.access.read_control", "Read Control", "Read access is NOT granted to owner, group and ACL of the SID", "READ ACCESS to owner, group and ACL of the SID"),
		access.Flag(0x00040000, "smb.access.write_dac", "Write DAC", "Owner may NOT write to the DAC", "OWNER may WRITE the DAC"),
		access.Flag(0x00080000, "smb.access.write_owner", "Write Owner", "Can NOT write owner (take ownership)", "Can WRITE OWNER (take ownership)"),
		access.Flag(0x00100000, "smb.access.synchronize", "Synchronize", "Can NOT wait on handle to synchronize on completion of I/O", "Can wait on handle to SYNCHRONIZE on completion of I/O"),
		access.Flag(0x01000000, "smb.access.system_security", "System Security", "System security is NOT set", "SYSTEM SECURITY is set"),
		access.Flag(0x02000000, "smb.access.maximum_allowed", "Maximum Allowed", "Maximum allowed is NOT set", "MAXIMUM ALLOWED is set"),
		access.Flag(0x10000000, "smb.access.generic_all", "Generic All", "Generic all is NOT set", "GENERIC ALL is set"),
		access.Flag(0x20000000, "smb.access.generic_execute", "Generic Execute", "Generic execute is NOT set", "GENERIC EXECUTE is set"),
		access.Flag(0x40000000, "smb.access.generic_write", "Generic Write", "Generic write is NOT set", "GENERIC WRITE is set"),
		access.Flag(0x80000000, "smb.access.generic_read", "Generic Read", "Generic read is NOT set", "GENERIC READ is set"),
	)
)

// FileAccess reads the rights to a file that a message asks for or grants.
func FileAccess(c *wire.Cursor) AccessMask { return AccessMask(c.U32(fFileAccess)) }
