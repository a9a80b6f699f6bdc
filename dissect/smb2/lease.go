package smb2

import (
	"cmp"

	"github.com/odxray/odxray/dissect/wire"
)

// OplockLevel is what a client may cache. [MS-SMB2] 2.2.13
type OplockLevel uint8

const (
	OplockNone      OplockLevel = 0x00
	OplockII        OplockLevel = 0x01
	OplockExclusive OplockLevel = 0x08
	OplockBatch     OplockLevel = 0x09
	OplockLease     OplockLevel = 0xff // a lease context says what
)

var oplockLevels = map[OplockLevel]string{
	OplockNone: "No oplock", OplockII: "Level2 oplock", OplockExclusive: "Exclusive oplock", OplockBatch: "Batch oplock", OplockLease: "Lease",
}

func (l OplockLevel) String() string { return cmp.Or(oplockLevels[l], "Unknown") }

// LeaseState is what the holder of a lease may cache. [MS-SMB2] 2.2.13.2.8
type LeaseState uint32

const (
	LeaseRead   LeaseState = 1
	LeaseHandle LeaseState = 2
	LeaseWrite  LeaseState = 4
)

// Lease is an SMB2_CREATE_REQUEST_LEASE or _V2, or the response to one.
// [MS-SMB2] 2.2.13.2.8, 2.2.13.2.10, 2.2.14.2.10, 2.2.14.2.11
type Lease struct {
	Key       wire.GUID
	State     LeaseState
	Flags     uint32 // 2: a break is in progress, 4: ParentKey is set
	Version2  bool   // the two below are there
	ParentKey wire.GUID
	Epoch     uint16
}

var (
	leasing     = fields.Section("[MS-SMB2] 2.2.13.2.8, 2.2.13.2.10")
	fOplock     = leasing.Enum("smb2.create.oplock", "Oplock", wire.Text[OplockLevel]).InHex()
	fLeaseV1    = leasing.Struct("", "LEASE_V1")
	fLeaseV2    = leasing.Struct("", "LEASE_V2")
	fLeaseKey   = leasing.GUID("smb2.lease.lease_key", "Lease Key")
	fLeaseState = leaseStateField(leasing, "Lease State")
	fLeaseFlags = leasing.Hex("smb2.lease.lease_flags", "Lease Flags").List(
		leasing.Flag(1, "smb2.lease.lease_state.break_ack_required", "Break Ack Required", "False", "True"),
		leasing.Flag(2, "smb2.lease.lease_state.break_in_progress", "Break In Progress", "False", "True"),
		leasing.Flag(4, "smb2.lease.lease_state.parent_lease_key_set", "Parent Lease Key Set", "False", "True"))
	fLeaseDuration = leasing.Hex("smb2.lease.lease_duration", "Lease Duration")
	fLeaseParent   = leasing.GUID("smb2.lease.parent_lease_key", "Parent Lease Key")
	fLeaseEpoch    = leasing.Hex("smb2.lease.lease_oplock", "Lease Epoch")
	fLeaseReserved = leasing.Hex("smb2.lease.lease_reserved", "Lease Reserved")
)

// leaseStateField declares a lease state: a break has two of them.
func leaseStateField(s wire.Section, label string) *wire.Field {
	return s.Hex("smb2.lease.lease_state", label).List(
		s.Flag(1, "smb2.lease.lease_state.read_caching", "Read Caching", "False", "True"),
		s.Flag(2, "smb2.lease.lease_state.handle_caching", "Handle Caching", "False", "True"),
		s.Flag(4, "smb2.lease.lease_state.write_caching", "Write Caching", "False", "True"))
}

// decode reads the form that the context has room for.
func (l *Lease) decode(c *wire.Cursor) {
	*l = Lease{Version2: c.Len() >= 52}
	f := fLeaseV1
	if l.Version2 {
		f = fLeaseV2
	}
	defer c.Close(c.Open(f))
	l.Key = c.GUID(fLeaseKey)
	l.State = LeaseState(c.U32(fLeaseState))
	l.Flags = c.U32(fLeaseFlags)
	c.U64(fLeaseDuration)
	if l.Version2 {
		l.ParentKey = c.GUID(fLeaseParent)
		l.Epoch = c.U16(fLeaseEpoch)
		c.U16(fLeaseReserved)
	}
}
