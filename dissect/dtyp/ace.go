package dtyp

import (
	"fmt"

	"github.com/odxray/odxray/dissect/wire"
)

// ACEType says what an entry does, and what form it has. [MS-DTYP] 2.4.4.1
type ACEType uint8

const (
	AccessAllowed ACEType = iota
	AccessDenied
	SystemAudit
	SystemAlarm
	AllowedCompound
	AllowedObject
	DeniedObject
	AuditObject
	AlarmObject
	AllowedCallback
	DeniedCallback
	AllowedCallbackObject
	DeniedCallbackObject
	AuditCallback
	AlarmCallback
	AuditCallbackObject
	AlarmCallbackObject
	MandatoryLabel
	ResourceAttribute
	ScopedPolicy
)

var aceTypes = [...]string{"Access Allowed", "Access Denied", "System Audit", "System Alarm", "Allowed Compound", "Allowed Object",
	"Denied Object", "Audit Object", "Alarm Object", "Allowed Callback", "Denied Callback", "Allowed Callback Object",
	"Denied Callback Object", "Audit Callback", "Alarm Callback", "Audit Callback Object", "Alarm Callback Object", "Mandatory label",
	"Resource Attribute", "Scoped Policy ID"}

func (t ACEType) String() string {
	if int(t) < len(aceTypes) {
		return aceTypes[t]
	}
	return "Unknown"
}

// known reports whether t has the mask and the SID that all types have so far.
func (t ACEType) known() bool { return int(t) < len(aceTypes) && t != AllowedCompound }

// object reports whether GUIDs say what an entry is about.
func (t ACEType) object() bool {
	return t >= AllowedObject && t <= AlarmObject || t == AllowedCallbackObject || t == DeniedCallbackObject ||
		t == AuditCallbackObject || t == AlarmCallbackObject
}

// callback reports whether an entry ends with a condition.
func (t ACEType) callback() bool { return t >= AllowedCallback && t <= AlarmCallbackObject }

// ACEFlags say what inherits an entry, and what of it is logged. [MS-DTYP] 2.4.4.1
type ACEFlags uint8

const (
	ObjectInherit    ACEFlags = 1 << 0
	ContainerInherit ACEFlags = 1 << 1
	NoPropagate      ACEFlags = 1 << 2
	InheritOnly      ACEFlags = 1 << 3
	Inherited        ACEFlags = 1 << 4
	AuditSuccess     ACEFlags = 1 << 6
	AuditFailure     ACEFlags = 1 << 7
)

// ACE is one entry of an ACL. [MS-DTYP] 2.4.4
type ACE struct {
	Type  ACEType
	Flags ACEFlags
	Size  uint16 // bytes, as claimed

	Access      AccessMask
	ObjectFlags uint32    // object types only, as both below; 1: ObjectType is valid, 2: InheritedType is
	ObjectType  wire.GUID // kind of child, property or right
	Inherited   wire.GUID // kind of child that inherits this
	User        SID

	// What follows: the condition of a callback type, the claim of a ResourceAttribute,
	// all of an unknown type. Aliases the message.
	Data []byte
}

var (
	ace       = fields.Section("[MS-DTYP] 2.4.4")
	fACE      = ace.Struct("", "NT ACE").Titled(fSID).Formatted(aceText)
	fACEType  = ace.Enum("nt.ace.type", "Type", wire.Text[ACEType])
	fACEFlags = ace.Hex("nt.ace.flags", "NT ACE Flags").List(
		ace.Flag(0x80, "nt.ace.flags.failed_access", "Audit Failed Accesses", "Failed accesses will not be audited", "Failed accesses will be audited"),
		ace.Flag(0x40, "nt.ace.flags.successful_access", "Audit Successful Accesses", "Successful accesses will not be audited", "Successful accesses will be audited"),
		ace.Flag(0x10, "nt.ace.flags.inherited_ace", "Inherited ACE", "This ACE was not inherited from its parent object", "This ACE was inherited from its parent object"),
		ace.Flag(0x08, "nt.ace.flags.inherit_only", "Inherit Only", "This ACE applies to the current object", "This ACE does not apply to the current object"),
		ace.Flag(0x04, "nt.ace.flags.non_propagate_inherit", "Non-Propagate Inherit", "Subordinate object will propagate the inherited ACE further", "Subordinate object will not propagate the inherited ACE further"),
		ace.Flag(0x02, "nt.ace.flags.container_inherit", "Container Inherit", "Subordinate containers will not inherit this ACE", "Subordinate containers will inherit this ACE"),
		ace.Flag(0x01, "nt.ace.flags.object_inherit", "Object Inherit", "Subordinate files will not inherit this ACE", "Subordinate files will inherit this ACE"),
	)
	fACESize = ace.Uint("nt.ace.size", "Size")
	fACEData = ace.Bytes("", "Data")

	mask     = fields.Section("[MS-DTYP] 2.4.3")
	fAccess  = mask.Hex("nt.access_mask", "Access required")
	fGeneric = mask.Hex("", "Generic rights").Split(
		mask.Flag(0x80000000, "nt.access_mask.generic_read", "Generic read", "Not set", "Set"),
		mask.Flag(0x40000000, "nt.access_mask.generic_write", "Generic write", "Not set", "Set"),
		mask.Flag(0x20000000, "nt.access_mask.generic_execute", "Generic execute", "Not set", "Set"),
		mask.Flag(0x10000000, "nt.access_mask.generic_all", "Generic all", "Not set", "Set"),
		mask.Flag(0x02000000, "nt.access_mask.maximum_allowed", "Maximum allowed", "Not set", "Set"),
		mask.Flag(0x00800000, "nt.access_mask.access_sacl", "Access SACL", "Not set", "Set"),
	)
	fStandard = mask.Hex("", "Standard rights").Split(
		mask.Flag(0x00100000, "nt.access_mask.synchronise", "Synchronise", "Not set", "Set"),
		mask.Flag(0x00080000, "nt.access_mask.write_owner", "Write owner", "Not set", "Set"),
		mask.Flag(0x00040000, "nt.access_mask.write_dac", "Write DAC", "Not set", "Set"),
		mask.Flag(0x00020000, "nt.access_mask.read_control", "Read control", "Not set", "Set"),
		mask.Flag(0x00010000, "nt.access_mask.delete", "Delete", "Not set", "Set"),
	)
	fSpecific = mask.Hex("", "Specific rights").Split(
		mask.Flag(0x00008000, "nt.access_mask.specific_15", "Specific access, bit 15", "Not set", "Set"),
		mask.Flag(0x00004000, "nt.access_mask.specific_14", "Specific access, bit 14", "Not set", "Set"),
		mask.Flag(0x00002000, "nt.access_mask.specific_13", "Specific access, bit 13", "Not set", "Set"),
		mask.Flag(0x00001000, "nt.access_mask.specific_12", "Specific access, bit 12", "Not set", "Set"),
		mask.Flag(0x00000800, "nt.access_mask.specific_11", "Specific access, bit 11", "Not set", "Set"),
		mask.Flag(0x00000400, "nt.access_mask.specific_10", "Specific access, bit 10", "Not set", "Set"),
		mask.Flag(0x00000200, "nt.access_mask.specific_9", "Specific access, bit 9", "Not set", "Set"),
		mask.Flag(0x00000100, "nt.access_mask.specific_8", "Specific access, bit 8", "Not set", "Set"),
		mask.Flag(0x00000080, "nt.access_mask.specific_7", "Specific access, bit 7", "Not set", "Set"),
		mask.Flag(0x00000040, "nt.access_mask.specific_6", "Specific access, bit 6", "Not set", "Set"),
		mask.Flag(0x00000020, "nt.access_mask.specific_5", "Specific access, bit 5", "Not set", "Set"),
		mask.Flag(0x00000010, "nt.access_mask.specific_4", "Specific access, bit 4", "Not set", "Set"),
		mask.Flag(0x00000008, "nt.access_mask.specific_3", "Specific access, bit 3", "Not set", "Set"),
		mask.Flag(0x00000004, "nt.access_mask.specific_2", "Specific access, bit 2", "Not set", "Set"),
		mask.Flag(0x00000002, "nt.access_mask.specific_1", "Specific access, bit 1", "Not set", "Set"),
		mask.Flag(0x00000001, "nt.access_mask.specific_0", "Specific access, bit 0", "Not set", "Set"),
	)

	objectACE    = fields.Section("[MS-DTYP] 2.4.4.3")
	fObject      = objectACE.Struct("", "ACE Object")
	fObjectFlags = objectACE.Hex("nt.ace.object.flags", "ACE Object Flags").List(
		objectACE.Flag(0x00000001, "nt.ace.object.flags.object_type_present", "Object Type Present", "Not set", "Set"),
		objectACE.Flag(0x00000002, "nt.ace.object.flags.inherited_object_type_present", "Inherited Object Type Present", "Not set", "Set"))
	fObjectType    = objectACE.GUID("nt.ace.object.guid", "GUID")
	fInheritedType = objectACE.GUID("nt.ace.object.inherited_guid", "Inherited GUID")
)

// titled marks a title, since one of all zeros says something, too.
const titled = 1 << 63

// aceText is what the line of an entry says after its SID.
func aceText(v uint64) string {
	if v&titled == 0 {
		return ""
	}
	return fmt.Sprintf(", flags 0x%02x, %s, mask 0x%08x", uint8(v>>40), ACEType(v>>32), uint32(v))
}

func (a *ACE) decode(c *wire.Cursor) {
	*a = ACE{}
	look, size := c.Ahead(), c.Len()
	look.U16(fACEType)
	if n := look.U16(fACESize); !look.Failed() {
		size = int(n)
	}
	e := c.Sub(fACESize, size)
	mark := e.Open(fACE)
	a.Type = ACEType(e.U8(fACEType))
	a.Flags = ACEFlags(e.U8(fACEFlags))
	a.Size = e.U16(fACESize)
	if a.Type.known() {
		a.Access = a.Access.decode(&e)
		if a.Type.object() {
			a.object(&e)
		}
		a.User.Decode(&e)
		e.Title(mark, titled|uint64(a.Flags)<<40|uint64(a.Type)<<32|uint64(a.Access), "")
	}
	a.data(&e)
	e.Close(mark)
	c.Join(&e)
}

// decode reads a mask in the form that Wireshark shows those of ACEs in.
func (AccessMask) decode(c *wire.Cursor) AccessMask {
	look := c.Ahead()
	v := uint64(look.U32(fAccess))
	mark := c.Open(fAccess)
	c.Title(mark, v, "")
	c.OverlayValue(fGeneric, 4, v&0xff800000)
	c.OverlayValue(fStandard, 4, v&0x007f0000)
	c.OverlayValue(fSpecific, 4, v&0x0000ffff)
	rest := c.Sub(fAccess, 4)
	if look.Failed() { // says so in the tree
		rest.U32(fAccess)
	}
	c.Join(&rest)
	c.Close(mark)
	return AccessMask(v)
}

func (a *ACE) object(c *wire.Cursor) {
	defer c.Close(c.Open(fObject))
	a.ObjectFlags = c.U32(fObjectFlags)
	if a.ObjectFlags&1 != 0 {
		a.ObjectType = c.GUID(fObjectType)
	}
	if a.ObjectFlags&2 != 0 {
		a.Inherited = c.GUID(fInheritedType)
	}
}

// data reads what follows the SID.
func (a *ACE) data(c *wire.Cursor) {
	if c.Len() == 0 {
		return
	}
	look := c.Ahead()
	a.Data = look.Bytes(fACEData, look.Len())
	switch {
	case a.Type.callback() && isCondition(c):
		decodeCondition(c)
	case a.Type == ResourceAttribute:
		decodeClaim(c)
	default:
		c.Skip(fACEData, c.Len())
	}
}
