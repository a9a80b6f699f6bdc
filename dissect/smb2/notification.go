package smb2

import (
	"cmp"

	"github.com/odxray/odxray/dissect/wire"
)

// NotificationType is what a server tells. [MS-SMB2] 2.2.44
type NotificationType uint32

// SessionClosed says that the session is over.
const SessionClosed NotificationType = 0

var notificationTypes = map[NotificationType]string{SessionClosed: "SmbNotifySessionClosed"}

func (t NotificationType) String() string { return cmp.Or(notificationTypes[t], "Unknown") }

// ServerToClientNotification is what the server says unasked, but for breaks. Dialect
// 3.1.1. [MS-SMB2] 2.2.44
type ServerToClientNotification struct{ Type NotificationType }

func (*ServerToClientNotification) body() {}

var (
	notifying         = fields.Section("[MS-SMB2] 2.2.44")
	fNotificationType = notifying.Enum("", "NotificationType", wire.Text[NotificationType]).InHex()
	fNotificationRest = notifying.Bytes("smb2.unknown", "Unknown")
)

func (m *ServerToClientNotification) decode(c *wire.Cursor, d *Decoder) {
	*m = ServerToClientNotification{}
	size(c, 4)
	c.Skip(fReserved, 2)
	m.Type = NotificationType(c.U32(fNotificationType))
	if m.Type == SessionClosed {
		c.Skip(fReserved, 4)
	} else {
		c.Skip(fNotificationRest, c.Len())
	}
}
