package smb2

import (
	"fmt"

	"github.com/odxray/odxray/dissect/dtyp"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/wire"
)

// ResponseContexts are the contexts of a CREATE response. Each field is valid iff the
// context it names is in Contexts. [MS-SMB2] 2.2.14.2
type ResponseContexts struct {
	Contexts      Contexts
	QueryStatus   Status          // ContextMaximalAccess: whether MaximalAccess is known
	MaximalAccess dtyp.AccessMask // ContextMaximalAccess
	DiskFileID    uint64          // ContextDiskID
	VolumeID      uint64          // ContextDiskID
	Lease         Lease           // ContextLease
	Durable       Durable         // ContextDurableV2
	SVHDX         SVHDX           // ContextSVHDX
	POSIX         POSIX           // ContextPOSIX
	AAPL          AAPL            // ContextAAPL
}

// POSIX is what a file is to a POSIX client. [SMB3-POSIX] 2.2.14.2.16
type POSIX struct {
	Links        uint32
	ReparseTag   uint32
	Mode         uint32
	Owner, Group dtyp.SID
}

var (
	maximal    = fields.Section("[MS-SMB2] 2.2.14.2.5")
	fMaximal   = maximal.Struct("", "MxAc INFO")
	fMaxStatus = maximal.Enum("smb2.mxac_status", "Query Status", wire.Text[Status]).InHex().Among(ntstatus.Numbers)

	diskID       = fields.Section("[MS-SMB2] 2.2.14.2.9")
	fDiskID      = diskID.Struct("", "QFid INFO")
	fDiskIDBytes = diskID.Bytes("smb2.qfid_fid", "Opaque File ID")
	fDiskFileID  = diskID.Hex("", "DiskFileId")
	fVolumeID    = diskID.Hex("", "VolumeId")

	posixReply    = fields.Section("[SMB3-POSIX] 2.2.14.2.16")
	fPOSIXLinks   = posixReply.Uint("smb2.nlinks", "Number of Links")
	fPOSIXReparse = posixReply.Hex("smb2.reparse_tag", "Reparse Tag")
	fPOSIXOwner   = dtyp.SIDField("Owner SID")
	fPOSIXGroup   = dtyp.SIDField("Group SID")
)

// octal is how the permissions of POSIX are read.
func octal(v uint64) string { return fmt.Sprintf("%#o", v) }

// decode reads the data of the context that l is at. Contexts that no response has
// stay raw.
func (m *ResponseContexts) decode(l *contextChain) {
	m.Contexts |= l.id
	c := &l.data
	if c.Len() == 0 {
		return
	}
	switch l.id {
	case ContextDurable:
		c.U64(fDurable)
	case ContextMaximalAccess:
		l.named("MxAc INFO")
		m.maximal(c)
	case ContextDiskID:
		l.named("QFid INFO")
		m.diskID(c)
	case ContextLease:
		l.lease(&m.Lease)
	case ContextDurableV2:
		l.named("DH2Q Response")
		m.durable(c)
	case ContextSVHDX:
		l.named("SVHDX OPEN DEVICE CONTEXT")
		m.SVHDX.decode(c)
	case ContextPOSIX:
		l.named("POSIX Create Context response")
		m.POSIX.decode(c)
	case ContextAAPL:
		l.named("AAPL Create Context response")
		m.AAPL.decodeResponse(c)
	}
}

func (m *ResponseContexts) maximal(c *wire.Cursor) {
	defer c.Close(c.Open(fMaximal))
	m.QueryStatus = Status(c.U32(fMaxStatus))
	m.MaximalAccess = dtyp.FileAccess(c)
}

func (m *ResponseContexts) diskID(c *wire.Cursor) {
	defer c.Close(c.Open(fDiskID))
	var whole []byte
	ids, mark := within(c, fDiskIDBytes, 32, &whole)
	m.DiskFileID = ids.U64(fDiskFileID)
	m.VolumeID = ids.U64(fVolumeID)
	c.End(mark)
	c.Join(&ids)
}

func (m *ResponseContexts) durable(c *wire.Cursor) {
	defer c.Close(c.Open(fDurableReply))
	m.Durable.Timeout = c.U32(fTimeout)
	m.Durable.Flags = c.U32(fDurableFlags)
}

func (m *POSIX) decode(c *wire.Cursor) {
	m.Links = c.U32(fPOSIXLinks)
	m.ReparseTag = c.U32(fPOSIXReparse)
	m.Mode = c.U32(fPOSIXMode)
	m.Owner.DecodeAs(c, fPOSIXOwner)
	m.Group.DecodeAs(c, fPOSIXGroup)
}
