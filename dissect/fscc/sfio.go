package fscc

import "github.com/odxray/odxray/dissect/wire"

// SfioReserveInfo is FileSfioReserveInformation: bandwidth that a handle reserves.
// [MS-FSCC] 2.4.44
type SfioReserveInfo struct {
	Requests      uint32 // in each period
	Period        uint32 // milliseconds
	RetryFailures bool
	Discardable   bool
	RequestSize   uint32 // bytes
	Outstanding   uint32 // requests to keep under way
}

// SfioVolumeInfo is FileSfioVolumeInformation: bandwidth that there is to reserve.
// [MS-FSCC] 2.4.45
type SfioVolumeInfo struct {
	MaxRequests uint32 // in each period
	MinPeriod   uint32 // milliseconds
	MinTransfer uint32 // bytes
}

var (
	sfio             = fields.Section("[MS-FSCC] 2.4.44, 2.4.45")
	fSfioReserve     = sfio.Struct("", "SMB2_FILE_SFIO_RESERVE_INFO")
	fSfioRequests    = sfio.Uint("odx.info.sfio.requests", "Requests per Period")
	fSfioPeriod      = sfio.Uint("odx.info.sfio.period", "Period")
	fSfioRetry       = sfio.Flag(0xff, "odx.info.sfio.retry", "Retry Failures", "False", "True")
	fSfioDiscardable = sfio.Flag(0xff, "odx.info.sfio.discardable", "Discardable", "False", "True")
	fSfioSize        = sfio.Uint("odx.info.sfio.request_size", "Request Size")
	fSfioOutstanding = sfio.Uint("odx.info.sfio.outstanding", "Outstanding Requests")
	fSfioVolume      = sfio.Struct("", "SMB2_FILE_SFIO_VOLUME_INFO")
	fSfioTransfer    = sfio.Uint("odx.info.sfio.min_transfer", "Minimum Transfer Size")
)

func (m *SfioReserveInfo) Decode(c *wire.Cursor) {
	defer c.Close(c.Open(fSfioReserve))
	m.Requests = c.U32(fSfioRequests)
	m.Period = c.U32(fSfioPeriod)
	m.RetryFailures = c.U8(fSfioRetry) != 0
	m.Discardable = c.U8(fSfioDiscardable) != 0
	c.Skip(fReserved, 2)
	m.RequestSize = c.U32(fSfioSize)
	m.Outstanding = c.U32(fSfioOutstanding)
}

func (m *SfioVolumeInfo) Decode(c *wire.Cursor) {
	defer c.Close(c.Open(fSfioVolume))
	m.MaxRequests = c.U32(fSfioRequests)
	m.MinPeriod = c.U32(fSfioPeriod)
	m.MinTransfer = c.U32(fSfioTransfer)
}
