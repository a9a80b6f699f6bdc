package fscc

import (
	"iter"

	"github.com/odxray/odxray/dissect/dtyp"
	"github.com/odxray/odxray/dissect/wire"
)

// QuotaInfo is FileQuotaInformation: limits of users. [MS-FSCC] 2.4.41
type QuotaInfo struct{ Chain }

// Quota is the limit of one user.
type Quota struct {
	Change    dtyp.FileTime
	Used      uint64 // bytes
	Threshold uint64 // bytes; all ones: none, as below
	Limit     uint64 // bytes; all ones less one, when set: remove this entry
	User      dtyp.SID
}

// QuotaQuery is SMB2_QUERY_QUOTA_INFO: what a query asks for. [MS-SMB2] 2.2.37.1
type QuotaQuery struct {
	ReturnSingle, RestartScan bool

	// Bytes of the SIDs asked for. Which is not 0 says whether they are a list of
	// FILE_GET_QUOTA_INFORMATION, or the one that the scan starts at.
	ListLength  uint32
	StartLength uint32
	StartOffset uint32 // bytes from after this
	Chain
}

var (
	quotas       = fields.Section("[MS-FSCC] 2.4.41")
	fQuotaInfo   = quotas.Struct("smb2.quota_info", "SMB2_QUOTA_INFO")
	fQuotaNext   = quotas.Uint("smb.quota.user.offset", "Next Offset")
	fSIDLength   = quotas.Uint("odx.info.quota.sid_length", "Length of SID")
	fQuotaChange = quotas.Time("smb.quota.user.change_time", "Change Time")
	fQuotaUsed   = quotas.Uint("smb.quota.used", "Quota Used")
	fQuotaUser   = dtyp.SIDField("Quota")
	fAskedUser   = dtyp.SIDField("SID")
	fStartUser   = dtyp.SIDField("Start SID")

	quotaQuery     = fields.Section("[MS-SMB2] 2.2.37.1")
	fQuotaQuery    = quotaQuery.Struct("smb2.query_quota_info", "SMB2_QUERY_QUOTA_INFO")
	fSingle        = quotaQuery.Flag(0xff, "smb2.query_quota_info.single", "ReturnSingle", "False", "True")
	fRestart       = quotaQuery.Flag(0xff, "smb2.query_quota_info.restart", "RestartScan", "False", "True")
	fSIDListLength = quotaQuery.Uint("smb2.query_quota_info.sidlistlen", "SidListLength")
	fStartLength   = quotaQuery.Uint("smb2.query_quota_info.startsidlen", "StartSidLength")
	fStartOffset   = quotaQuery.Uint("smb2.query_quota_info.startsidoffset", "StartSidOffset")
)

func (m *QuotaInfo) Decode(c *wire.Cursor) {
	*m = QuotaInfo{}
	defer c.Close(c.Open(fQuotaInfo))
	for first := c.Ahead(); c.Len() > 0; m.add(first, c) {
		var q Quota
		q.decode(c)
	}
}

// All yields the limits.
func (m *QuotaInfo) All() iter.Seq[*Quota] { return each(&m.Chain, (*Quota).decode) }

func (q *Quota) decode(c *wire.Cursor) {
	e := link(c, fQuotaNext)
	defer end(c, &e)
	e.U32(fQuotaNext)
	n := e.U32(fSIDLength)
	q.Change = dtyp.FileTime(e.U64(fQuotaChange))
	q.Used = e.U64(fQuotaUsed)
	q.Threshold = e.U64(fSoftDefault)
	q.Limit = e.U64(fHardDefault)
	q.user(&e, n, fQuotaUser)
}

// user reads the SID of n bytes that ends an entry.
func (q *Quota) user(e *wire.Cursor, n uint32, f *wire.Field) {
	user := e.Sub(fSIDLength, int(n))
	q.User.DecodeAs(&user, f)
	end(e, &user)
}

func (m *QuotaQuery) Decode(c *wire.Cursor) {
	*m = QuotaQuery{}
	defer c.Close(c.Open(fQuotaQuery))
	m.ReturnSingle = c.U8(fSingle) != 0
	m.RestartScan = c.U8(fRestart) != 0
	c.Skip(fReserved, 2)
	m.ListLength = c.U32(fSIDListLength)
	m.StartLength = c.U32(fStartLength)
	m.StartOffset = c.U32(fStartOffset)
	switch {
	case m.ListLength != 0:
		list := c.Sub(fSIDListLength, int(m.ListLength))
		for first := list.Ahead(); list.Len() > 0; m.add(first, &list) {
			var q Quota
			q.decodeUser(&list)
		}
		c.Join(&list)
	case m.StartLength != 0:
		if m.StartOffset != 0 {
			c.Skip(fPadding, int(m.StartOffset))
		}
		var q Quota
		q.user(c, m.StartLength, fStartUser)
	}
}

// All yields the users of the list, without their limits.
func (m *QuotaQuery) All() iter.Seq[*Quota] { return each(&m.Chain, (*Quota).decodeUser) }

func (q *Quota) decodeUser(c *wire.Cursor) {
	e := link(c, fQuotaNext)
	defer end(c, &e)
	e.U32(fQuotaNext)
	q.user(&e, e.U32(fSIDLength), fAskedUser)
}
