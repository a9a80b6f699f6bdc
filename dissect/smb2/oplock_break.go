package smb2

import "github.com/odxray/odxray/dissect/wire"

// unsolicited is the MessageID of what the server says without being asked.
const unsolicited = 1<<64 - 1

// OplockBreakNotification has the client give up caching. [MS-SMB2] 2.2.23.1
type OplockBreakNotification struct {
	OplockLevel OplockLevel // what is left to the client
	File        FileID
}

// OplockBreakAcknowledgment says that it has. [MS-SMB2] 2.2.24.1
type OplockBreakAcknowledgment struct {
	OplockLevel OplockLevel // what the client goes on with
	File        FileID
}

// OplockBreakResponse confirms that. [MS-SMB2] 2.2.25.1
type OplockBreakResponse struct {
	OplockLevel OplockLevel
	File        FileID
}

func (*OplockBreakNotification) body()   {}
func (*OplockBreakAcknowledgment) body() {}
func (*OplockBreakResponse) body()       {}

func (m *OplockBreakNotification) decode(c *wire.Cursor, d *Decoder) {
	m.OplockLevel, m.File = oplockBody(c, d)
}

func (m *OplockBreakAcknowledgment) decode(c *wire.Cursor, d *Decoder) {
	m.OplockLevel, m.File = oplockBody(c, d)
}

func (m *OplockBreakResponse) decode(c *wire.Cursor, d *Decoder) {
	m.OplockLevel, m.File = oplockBody(c, d)
}

// oplockBody reads the one form that all three have.
func oplockBody(c *wire.Cursor, d *Decoder) (level OplockLevel, file FileID) {
	size(c, oplockBreakSize)
	level = OplockLevel(c.U8(fOplock))
	c.Skip(fReserved, 1)
	c.Skip(fReserved, 4)
	file.decode(c, d.ctx)
	return level, file
}

// The sizes tell the messages of OPLOCK_BREAK apart.
const (
	oplockBreakSize       = 24
	leaseBreakSize        = 36
	leaseNotificationSize = 44
)

// isLease reports whether the body of an OPLOCK_BREAK is about a lease.
func isLease(c *wire.Cursor) bool {
	n := bodySize(c)
	return n == leaseBreakSize || n == leaseNotificationSize
}

// oplockBreak decodes what a server sends.
func (d *Decoder) oplockBreak(c *wire.Cursor) {
	switch n := bodySize(c); {
	case n == leaseNotificationSize:
		d.leaseBreakNotification.decode(c, d)
		d.msg.Body = &d.leaseBreakNotification
	case n == leaseBreakSize:
		d.leaseBreakResponse.decode(c, d)
		d.msg.Body = &d.leaseBreakResponse
	case d.msg.MessageID == unsolicited:
		d.oplockBreakNotification.decode(c, d)
		d.msg.Body = &d.oplockBreakNotification
	default:
		d.oplockBreakResponse.decode(c, d)
		d.msg.Body = &d.oplockBreakResponse
	}
}
