package dtyp

import "github.com/odxray/odxray/dissect/wire"

// SecurityInformation says which parts of a security descriptor are meant.
// [MS-DTYP] 2.4.7
type SecurityInformation uint32

const (
	OwnerSecurity SecurityInformation = 1 << iota
	GroupSecurity
	DACLSecurity
	SACLSecurity
	LabelSecurity
	AttributeSecurity
	ScopeSecurity
	BackupSecurity SecurityInformation = 1 << 16
)

// Control says what a security descriptor holds and where that came from.
// [MS-DTYP] 2.4.6
type Control uint16

const (
	DACLPresent  Control = 1 << 2 // without one everybody may do everything, if OffsetDACL is 0
	SACLPresent  Control = 1 << 4
	SelfRelative Control = 1 << 15
)

// SecurityDescriptor says whose something is, and who may do what to it, in the
// self-relative form that all messages have. [MS-DTYP] 2.4.6
type SecurityDescriptor struct {
	Revision uint8
	Control  Control

	// Bytes from the start of the descriptor, 0 for what it does not hold.
	OffsetOwner, OffsetGroup, OffsetSACL, OffsetDACL uint32

	Owner, Group SID
	SACL         ACL // what to log
	DACL         ACL // who may
}

var (
	descriptor  = fields.Section("[MS-DTYP] 2.4.6")
	fDescriptor = descriptor.Struct("", "NT Security Descriptor")
	fSDRevision = descriptor.Uint("nt.sec_desc.revision", "Revision")
	fControl    = descriptor.Hex("nt.sec_desc.type", "Type").List(
		descriptor.Flag(0x8000, "nt.sec_desc.type.self_relative", "Self Relative", "This SecDesc is NOT self relative", "This SecDesc is SELF RELATIVE"),
		descriptor.Flag(0x4000, "nt.sec_desc.type.rm_control_valid", "RM Control Valid", "Rm control valid is FALSE", "Rm control valid is TRUE"),
		descriptor.Flag(0x2000, "nt.sec_desc.type.sacl_protected", "SACL Protected", "The SACL is NOT protected", "The SACL is PROTECTED"),
		descriptor.Flag(0x1000, "nt.sec_desc.type.dacl_protected", "DACL Protected", "The DACL is NOT protected", "The DACL is PROTECTED"),
		descriptor.Flag(0x0800, "nt.sec_desc.type.sacl_auto_inherited", "SACL Auto Inherited", "SACL is NOT auto inherited", "SACL is AUTO INHERITED"),
		descriptor.Flag(0x0400, "nt.sec_desc.type.dacl_auto_inherited", "DACL Auto Inherited", "DACL is NOT auto inherited", "DACL is AUTO INHERITED"),
		descriptor.Flag(0x0200, "nt.sec_desc.type.sacl_auto_inherit_req", "SACL Auto Inherit Required", "SACL does NOT require auto inherit", "SACL has AUTO INHERIT REQUIRED"),
		descriptor.Flag(0x0100, "nt.sec_desc.type.dacl_auto_inherit_req", "DACL Auto Inherit Required", "DACL does NOT require auto inherit", "DACL has AUTO INHERIT REQUIRED"),
		descriptor.Flag(0x0080, "nt.sec_desc.type.server_security", "Server Security", "Server security is FALSE", "SERVER SECURITY is TRUE"),
		descriptor.Flag(0x0040, "nt.sec_desc.type.dacl_trusted", "DACL Trusted", "Dacl trusted is FALSE", "DACL TRUSTED is TRUE"),
		descriptor.Flag(0x0020, "nt.sec_desc.type.sacl_defaulted", "SACL Defaulted", "SACL is NOT defaulted", "SACL is DEFAULTED"),
		descriptor.Flag(0x0010, "nt.sec_desc.type.sacl_present", "SACL Present", "SACL is NOT present", "SACL is PRESENT"),
		descriptor.Flag(0x0008, "nt.sec_desc.type.dacl_defaulted", "DACL Defaulted", "DACL is NOT defaulted", "DACL is DEFAULTED"),
		descriptor.Flag(0x0004, "nt.sec_desc.type.dacl_present", "DACL Present", "DACL is NOT present", "DACL is PRESENT"),
		descriptor.Flag(0x0002, "nt.sec_desc.type.group_defaulted", "Group Defaulted", "Group is NOT defaulted", "GROUP is DEFAULTED"),
		descriptor.Flag(0x0001, "nt.sec_desc.type.owner_defaulted", "Owner Defaulted", "Owner is NOT defaulted", "OWNER is DEFAULTED"),
	)
	fOwnerOffset = descriptor.Uint("nt.offset_to_owner_sid", "Offset to owner SID")
	fGroupOffset = descriptor.Uint("nt.offset_to_group_sid", "Offset to group SID")
	fSACLOffset  = descriptor.Uint("nt.offset_to_sacl", "Offset to SACL")
	fDACLOffset  = descriptor.Uint("nt.offset_to_dacl", "Offset to DACL")
)

// Decode reads a descriptor that c ends with.
func (s *SecurityDescriptor) Decode(c *wire.Cursor) {
	*s = SecurityDescriptor{}
	defer c.Close(c.Open(fDescriptor))
	whole := c.Sub(fDescriptor, c.Len()) // the offsets count from here
	size := uint32(whole.Len())
	s.Revision = uint8(whole.U16(fSDRevision)) // with a reserved byte, as Wireshark has it
	s.Control = Control(whole.U16(fControl))
	s.OffsetOwner = whole.U32(fOwnerOffset)
	s.OffsetGroup = whole.U32(fGroupOffset)
	s.OffsetSACL = whole.U32(fSACLOffset)
	s.OffsetDACL = whole.U32(fDACLOffset)
	if off := s.OffsetOwner; off != 0 {
		owner := whole.At(fOwnerOffset, off, size-off)
		s.Owner.DecodeAs(&owner, fOwner)
		whole.Join(&owner)
	}
	if off := s.OffsetGroup; off != 0 {
		group := whole.At(fGroupOffset, off, size-off)
		s.Group.DecodeAs(&group, fGroup)
		whole.Join(&group)
	}
	if off := s.OffsetSACL; off != 0 {
		sacl := whole.At(fSACLOffset, off, size-off)
		s.SACL.decode(&sacl, fSACL)
		whole.Join(&sacl)
	}
	if off := s.OffsetDACL; off != 0 {
		dacl := whole.At(fDACLOffset, off, size-off)
		s.DACL.decode(&dacl, fDACL)
		whole.Join(&dacl)
	}
	c.Join(&whole)
}
