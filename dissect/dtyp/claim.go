package dtyp

import (
	"cmp"

	"github.com/odxray/odxray/dissect/wire"
)

// claimType is what the values of a claim are. [MS-DTYP] 2.4.10.1
type claimType uint16

const (
	claimInt64   claimType = 1
	claimUint64  claimType = 2
	claimString  claimType = 3
	claimFQBN    claimType = 4
	claimSID     claimType = 5
	claimBoolean claimType = 6
	claimOctets  claimType = 16
)

var claimTypes = map[claimType]string{claimInt64: "INT64", claimUint64: "UINT64", claimString: "STRING", claimFQBN: "FQBN",
	claimSID: "SID", claimBoolean: "BOOLEAN", claimOctets: "OCTET_STRING"}

func (t claimType) String() string { return cmp.Or(claimTypes[t], "Unknown") }

var (
	claim       = fields.Section("[MS-DTYP] 2.4.10.1")
	fClaimName  = claim.String("nt.ace.sra.name", "Name")
	fClaim      = claim.Struct("nt.ace.sra", "Resource Attribute").Titled(fClaimName)
	fNameOffset = claim.Uint("nt.ace.sra.name_offset", "Name Offset")
	fClaimType  = claim.Enum("nt.ace.sra.type", "Type", wire.Text[claimType])
	fClaimZero  = claim.Hex("nt.ace.sra.reserved", "Reserved")
	fClaimFlags = claim.Hex("nt.ace.sra.flags", "Flags").List(
		claim.Flag(0x00020000, "nt.ace.sra.flags.policy_derived", "Policy Derived", "NOT Policy Derived", "Policy Derived"),
		claim.Flag(0x00010000, "nt.ace.sra.flags.manual", "Manual", "NOT Manually Assigned", "Manually Assigned"),
		claim.Flag(0x00000020, "nt.ace.sra.flags.mandatory", "Mandatory", "NOT Mandatory", "Mandatory"),
		claim.Flag(0x00000010, "nt.ace.sra.flags.disabled", "Disabled", "NOT Disabled", "Disabled"),
		claim.Flag(0x00000008, "nt.ace.sra.flags.disabled_by_default", "Disabled By Default", "NOT Disabled By Default", "Disabled By Default"),
		claim.Flag(0x00000004, "nt.ace.sra.flags.deny_only", "Deny Only", "NOT Deny Only", "Deny Only"),
		claim.Flag(0x00000002, "nt.ace.sra.flags.case_sensitive", "Case Sensitive", "NOT Case Sensitive", "Case Sensitive"),
		claim.Flag(0x00000001, "nt.ace.sra.flags.non_inheritable", "Non-Inheritable", "Inheritable", "Non-Inheritable"),
	)
	fValueCount  = claim.Uint("nt.ace.sra.value_count", "Value Count")
	fValueOffset = claim.Uint("", "Value Offset")
	fInt64       = claim.Int("nt.ace.sra.value_int64", "INT64")
	fUint64      = claim.Uint("nt.ace.sra.value_uint64", "UINT64")
	fString      = claim.String("nt.ace.sra.value_string", "STRING")
	fClaimSID    = claim.Text("nt.ace.sra.value_sid", "SID", fSID.Show)
	fBoolean     = claim.Uint("nt.ace.sra.value_boolean", "BOOLEAN")
	fOctets      = claim.Bytes("nt.ace.sra.value_octet_string", "OCTET_STRING")
	fOctetCount  = claim.Uint("", "Length")
	fTerminator  = claim.Bytes("", "Terminator")
)

// decodeClaim reads a CLAIM_SECURITY_ATTRIBUTE_RELATIVE_V1. Its strings end with a
// zero; what Wireshark shows later than it lies is read where it shows it.
func decodeClaim(c *wire.Cursor) {
	defer c.Close(c.Open(fClaim))
	whole := c.Sub(fClaim, c.Len()) // the offsets count from here
	size := uint32(whole.Len())
	off := whole.U32(fNameOffset)
	name := whole.At(fNameOffset, off, size-off)
	text(&name, fClaimName)
	whole.Join(&name)
	t := claimType(whole.U16(fClaimType))
	whole.U16(fClaimZero)
	whole.U32(fClaimFlags)
	// Values may share bytes, but an honest claim reads none of its bytes twice.
	budget := int(size)
	for n := whole.U32(fValueCount); n > 0 && budget > 0 && !whole.Failed(); n-- {
		off := whole.U32(fValueOffset)
		value := whole.At(fValueOffset, off, size-off)
		before := value.Len()
		decodeValue(&value, t)
		budget -= 4 + before - value.Len()
		whole.Join(&value)
	}
	c.Join(&whole)
}

func decodeValue(c *wire.Cursor, t claimType) {
	switch t {
	case claimInt64:
		c.U64(fInt64)
	case claimUint64:
		c.U64(fUint64)
	case claimString, claimFQBN:
		text(c, fString)
	case claimSID:
		n := c.U32(fOctetCount)
		c.Bytes(fClaimSID, int(n))
	case claimBoolean:
		c.U64(fBoolean)
	case claimOctets:
		n := c.U32(fOctetCount)
		c.Bytes(fOctets, int(n))
	}
}

// text reads UTF-16 up to a zero or the end.
func text(c *wire.Cursor, f *wire.Field) {
	look, n := c.Ahead(), 0
	for look.Len() >= 2 && look.U16(f) != 0 {
		n += 2
	}
	c.UTF16(f, n)
	if c.Len() >= 2 {
		c.Skip(fTerminator, 2)
	}
}
