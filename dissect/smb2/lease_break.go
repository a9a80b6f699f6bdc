package smb2

import "github.com/odxray/odxray/dissect/wire"

// LeaseBreakNotification has the client give up caching. [MS-SMB2] 2.2.23.2
type LeaseBreakNotification struct {
	Epoch   uint16 // NewEpoch: version 2 leases
	Flags   uint32 // 1: to be acknowledged
	Key     wire.GUID
	Current LeaseState
	New     LeaseState
	Reason  uint32 // reserved
	Access  uint32 // AccessMaskHint, reserved
	Share   uint32 // ShareMaskHint, reserved
}

// LeaseBreakAcknowledgment says that it has. [MS-SMB2] 2.2.24.2
type LeaseBreakAcknowledgment struct {
	Flags uint32 // reserved
	Key   wire.GUID
	State LeaseState // what the client goes on with
}

// LeaseBreakResponse confirms that. [MS-SMB2] 2.2.25.2
type LeaseBreakResponse struct {
	Flags uint32 // reserved
	Key   wire.GUID
	State LeaseState
}

func (*LeaseBreakNotification) body()   {}
func (*LeaseBreakAcknowledgment) body() {}
func (*LeaseBreakResponse) body()       {}

var (
	leaseBreak    = fields.Section("[MS-SMB2] 2.2.23.2")
	fLeaseCurrent = leaseStateField(leaseBreak, "Current Lease State")
	fLeaseNew     = leaseStateField(leaseBreak, "New Lease State")
	fLeaseReason  = leaseBreak.Hex("smb2.lease.lease_break_reason", "Lease Break Reason")
	fLeaseAccess  = leaseBreak.Hex("smb2.lease.access_mask_hint", "Access Mask Hint")
	fLeaseShare   = leaseBreak.Hex("smb2.lease.share_mask_hint", "Share Mask Hint")
)

func (m *LeaseBreakNotification) decode(c *wire.Cursor, d *Decoder) {
	size(c, leaseNotificationSize)
	m.Epoch = c.U16(fLeaseEpoch)
	m.Flags = c.U32(fLeaseFlags)
	m.Key = c.GUID(fLeaseKey)
	m.Current = LeaseState(c.U32(fLeaseCurrent))
	m.New = LeaseState(c.U32(fLeaseNew))
	m.Reason = c.U32(fLeaseReason)
	m.Access = c.U32(fLeaseAccess)
	m.Share = c.U32(fLeaseShare)
}

func (m *LeaseBreakAcknowledgment) decode(c *wire.Cursor, d *Decoder) {
	m.Flags, m.Key, m.State = leaseBody(c)
}

func (m *LeaseBreakResponse) decode(c *wire.Cursor, d *Decoder) {
	m.Flags, m.Key, m.State = leaseBody(c)
}

// leaseBody reads the one form that both have.
func leaseBody(c *wire.Cursor) (flags uint32, key wire.GUID, state LeaseState) {
	size(c, leaseBreakSize)
	c.Skip(fReserved, 2)
	flags = c.U32(fLeaseFlags)
	key = c.GUID(fLeaseKey)
	state = LeaseState(c.U32(fLeaseState))
	c.U64(fLeaseDuration)
	return flags, key, state
}
